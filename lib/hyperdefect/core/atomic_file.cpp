// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect {
namespace {

Error cannot_write(const std::filesystem::path& path, int reason) {
  return Error(text::cat("cannot write ", path.string(), ": ", std::strerror(reason)));
}

/// The reason why the file's bytes cannot be brought to the disk, or 0.
int flush_to_disk(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY);
  if (file < 0) {
    return errno;
  }
  const int reason = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  return reason;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  // No number of the process: a repeated run takes over what a killed one has left, and so clears it away.
  temporary_ = target_.parent_path() / text::cat(".part-", target_.filename().string());
}

AtomicFile::~AtomicFile() {
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void AtomicFile::commit() {
  if (const int reason = flush_to_disk(temporary_); reason != 0) {
    throw cannot_write(target_, reason);
  }
  std::error_code failure;
  std::filesystem::rename(temporary_, target_, failure);
  if (failure) {
    throw cannot_write(target_, failure.value());
  }
}

void write_file(const std::filesystem::path& target, std::string_view bytes) {
  AtomicFile file(target);
  errno = 0;
  std::ofstream stream(file.temporary(), std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) {
    throw cannot_write(target, errno != 0 ? errno : EIO);
  }
  file.commit();
}

void make_output_folder(const std::filesystem::path& folder) {
  const auto named = folder.empty() ? std::filesystem::path(".") : folder;
  std::error_code failure;
  std::filesystem::create_directories(named, failure);
  if (failure) {
    throw UsageError(text::cat("cannot make the output folder ", named.string(), ": ", failure.message(),
                               "; take another with -o"));
  }
  const auto probe = named / ".hyperdefect-probe";
  try {
    write_file(probe, "");
  } catch (const Error& reason) {
    throw UsageError(text::cat("cannot write into the output folder ", named.string(), ": ", reason.what(),
                               "; take another with -o"));
  }
  std::filesystem::remove(probe);
}

}  // namespace hyperdefect
