// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "hyperdefect/core/file_handle.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryPrefix = ".hyperdefect-";
constexpr std::string_view kRandomPart = "XXXXXX";
/// A clearing process may take a new folder away before it is locked, but hardly as often as this.
constexpr int kTries = 100;
/// A full disk may have some room left for less than a page.
constexpr std::size_t kProbeBytes = 1 << 16;

bool takes_nothing_more(int reason) {
  return reason == ENOSPC || reason == EDQUOT || reason == EROFS;
}

std::string cannot(const char* what, const fs::path& path, const std::string& reason) {
  return text::concat("cannot ", what, ' ', path.string(), ": ", reason);
}

[[noreturn]] void throw_cannot(const char* what, const fs::path& path, int reason) {
  const auto message = cannot(what, path, std::strerror(reason));
  if (takes_nothing_more(reason)) {
    throw StorageError(message);
  }
  throw Error(message);
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

int open_folder(const fs::path& folder) {
  return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// A file system without locks is taken as it is: there, nothing that others left is removed.
bool locked_by_another(int folder) {
  return ::flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/// 0, or the reason why not all bytes could be written.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return 0;
}

/// The reason why the file's bytes cannot be brought to the disk, or 0.
int flush_to_disk(const fs::path& path) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return file.is_open() && ::fsync(file.number()) == 0 ? 0 : errno;
}

/// The reason why the folder's names cannot be brought to the disk, or 0: without that, a new file may be
/// gone after a power cut. A file system that cannot do it at all is taken as it is.
int flush_names(const fs::path& folder) {
  const FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.is_open()) {
    return errno == EACCES ? 0 : errno;  // a folder may be written to and not read
  }
  return ::fsync(handle.number()) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP ? 0 : errno;
}

/// 0, or the reason why the folder takes no bytes.
int reason_against_bytes(const fs::path& folder) {
  auto name = (folder / text::concat(kTemporaryPrefix, kRandomPart)).string();
  const FileHandle file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.is_open()) {
    return errno;
  }
  ::unlink(name.c_str());
  const int reason = write_all(file.number(), std::string(kProbeBytes, '.'));
  return reason != 0 || ::fsync(file.number()) == 0 ? reason : errno;
}

bool is_temporary(const fs::directory_entry& entry) {
  const auto name = entry.path().filename().string();
  std::error_code vanished;
  return name.starts_with(kTemporaryPrefix) && name.size() == kTemporaryPrefix.size() + kRandomPart.size() &&
         entry.symlink_status(vanished).type() == fs::file_type::directory;
}

void remove_if_dead(const fs::path& folder) {
  const FileHandle handle(open_folder(folder));
  if (handle.is_open() && ::flock(handle.number(), LOCK_EX | LOCK_NB) == 0) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
}

}  // namespace

/// A temporary folder of this process; it is removed with all that is left in it.
class AtomicFile::Folder {
 public:
  explicit Folder(const fs::path& target) {
    for (int i = 0; i < kTries && !made(folder_of(target)); ++i) {
    }
    if (!handle_.is_open()) {
      throw_cannot("write", target, errno);
    }
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  /// Whether trying again makes no sense.
  bool made(const fs::path& parent) {
    auto name = (parent / text::concat(kTemporaryPrefix, kRandomPart)).string();
    if (::mkdtemp(name.data()) == nullptr) {
      return true;
    }
    FileHandle handle(open_folder(name));
    if (!handle.is_open() || locked_by_another(handle.number()) || !handle.is_at(name)) {
      return false;
    }
    path_ = name;
    handle_ = std::move(handle);
    return true;
  }

  fs::path path_;
  FileHandle handle_{-1};
};

AtomicFile::AtomicFile(fs::path target)
    : target_(std::move(target)),
      folder_(std::make_unique<const Folder>(target_)),
      temporary_(folder_->path() / target_.filename()) {}

AtomicFile::~AtomicFile() = default;

void AtomicFile::commit() {
  if (const int reason = flush_to_disk(temporary_); reason != 0) {
    throw_cannot("write", target_, reason);
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    throw_cannot("write", target_, errno);
  }
  if (const int reason = flush_names(folder_of(target_)); reason != 0) {
    throw_cannot("write", target_, reason);
  }
  folder_.reset();
}

void write_file(const fs::path& target, std::string_view bytes) {
  AtomicFile file(target);
  {
    const FileHandle handle(
        ::open(file.temporary().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    const int reason = handle.is_open() ? write_all(handle.number(), bytes) : errno;
    if (reason != 0) {
      throw_cannot("write", target, reason);
    }
  }
  file.commit();
}

void throw_cannot_write(const fs::path& target, const std::string& reason) {
  if (const int why = reason_against_bytes(folder_of(target)); takes_nothing_more(why)) {
    throw_cannot("write", target, why);
  }
  throw Error(cannot("write", target, reason));
}

void make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) {
    throw_cannot("make the folder", folder, failure.value());
  }
}

void remove_dead_temporaries(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, failure);
       !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    if (is_temporary(*entry)) {
      found.push_back(entry->path());
    }
  }
  for (const auto& temporary : found) {
    remove_if_dead(temporary);
  }
}

void check_output_folder(const fs::path& folder) {
  auto nearest = fs::absolute(folder.empty() ? fs::path(".") : folder).lexically_normal();
  std::error_code ignored;
  while (!fs::exists(fs::status(nearest, ignored)) && nearest.has_relative_path()) {
    nearest = nearest.parent_path();
  }
  const int reason = !fs::is_directory(nearest, ignored)           ? ENOTDIR
                     : ::access(nearest.c_str(), W_OK | X_OK) != 0 ? errno
                                                                   : 0;
  if (reason != 0) {
    throw UsageError(text::concat("cannot write into the output folder ", folder.string(), ": ",
                                  nearest.string(), ": ", std::strerror(reason), "; choose another folder"));
  }
}

void make_output_folder(const fs::path& folder) {
  const auto named = folder.empty() ? fs::path(".") : folder;
  std::error_code failure;
  fs::create_directories(named, failure);
  if (failure) {
    throw UsageError(text::concat("cannot make the output folder ", named.string(), ": ", failure.message(),
                                  "; choose another folder"));
  }
  remove_dead_temporaries(named);
  try {
    const AtomicFile probe(named / "probe");
  } catch (const Error& reason) {
    throw UsageError(text::concat("cannot write into the output folder ", named.string(), ": ", reason.what(),
                                  "; choose another folder"));
  }
}

}  // namespace hyperdefect
