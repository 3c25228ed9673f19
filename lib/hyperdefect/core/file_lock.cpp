// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect {
namespace {

/// A holder writes its note right after it has taken the lock.
constexpr int kLooksForANote = 50;
constexpr auto kBetweenLooks = std::chrono::milliseconds(4);

enum class Hold { taken, of_another, unknown };

Hold try_lock(int file) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) {
    return Hold::taken;
  }
  return errno == EWOULDBLOCK ? Hold::of_another : Hold::unknown;
}

Error cannot_lock(const std::filesystem::path& path) {
  return Error(text::concat("cannot write ", path.string(), ": ", std::strerror(errno)));
}

}  // namespace

FileLock::FileLock(std::filesystem::path path, FileHandle file)
    : path_(std::move(path)), file_(std::move(file)) {}

FileLock::~FileLock() {
  if (file_.is_open()) {
    // While the lock is held, so that nobody can have taken the name for another file.
    ::unlink(path_.c_str());
  }
}

std::optional<FileLock> FileLock::try_hold(const std::filesystem::path& path, std::string_view note) {
  while (true) {
    FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!file.is_open()) {
      throw cannot_lock(path);
    }
    const auto hold = try_lock(file.number());
    if (hold == Hold::of_another) {
      return std::nullopt;
    }
    if (hold == Hold::unknown) {
      log::warning(text::concat(path.string(), ": cannot be locked here (", std::strerror(errno),
                                "): make sure that no other run writes to the same place"));
    }
    // An earlier holder removes its file when it lets go; one that was killed has left its note in it.
    if (hold == Hold::unknown || (file.is_at(path) && file.is_empty())) {
      FileLock lock(path, std::move(file));
      lock.write(note);
      return lock;
    }
    if (file.is_at(path)) {
      ::unlink(path.c_str());
    }
  }
}

bool FileLock::is_held(const std::filesystem::path& path) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file.is_open() && ::flock(file.number(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void FileLock::write(std::string_view note) const {
  if (::ftruncate(file_.number(), 0) != 0 || ::pwrite(file_.number(), note.data(), note.size(), 0) < 0) {
    throw cannot_lock(path_);
  }
}

std::string FileLock::note_in(const std::filesystem::path& path) {
  for (int i = 0; i < kLooksForANote; ++i) {
    std::ifstream stream(path, std::ios::binary);
    std::string note{std::istreambuf_iterator<char>(stream), {}};
    if (!note.empty()) {
      return note;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return {};
}

}  // namespace hyperdefect
