// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/file_access.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::format {
namespace {

namespace fs = std::filesystem;

template <class... Parts>
[[noreturn]] void refuse(const fs::path& path, const Parts&... why) {
  throw InputError(text::concat(path.string(), ": ", why...));
}

[[noreturn]] void refuse_folder(const fs::path& folder) {
  std::error_code failure;
  const fs::directory_iterator tried(folder, failure);
  if (failure) {
    refuse(folder, "the folder cannot be searched: ", failure.message());
  }
  refuse(folder, "is a folder; a cube is a data file or its .hdr");
}

/// `failure` is why the file behind the path cannot be looked at, if there is a reason.
[[noreturn]] void refuse_missing(const fs::path& path, const std::error_code& failure) {
  std::error_code no_link;
  const auto target = fs::read_symlink(path, no_link);
  if (!no_link) {
    refuse(path, "is a link to ", target.string(), ", which cannot be reached: ", failure.message());
  }
  if (failure == std::errc::no_such_file_or_directory || failure == std::errc::not_a_directory) {
    refuse(path, "there is no such file");
  }
  refuse(path, "cannot be read: ", failure.message());
}

}  // namespace

bool is_there(const fs::path& path) {
  std::error_code failure;
  return fs::exists(path, failure);
}

bool is_named(const fs::path& path) {
  std::error_code failure;
  return fs::exists(fs::symlink_status(path, failure));
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code failure;
  return fs::equivalent(a, b, failure);
}

bool is_file(const fs::path& path) {
  std::error_code failure;
  return fs::is_regular_file(path, failure);
}

std::optional<std::uintmax_t> size_of_file(const fs::path& path) {
  std::error_code failure;
  const auto bytes = fs::file_size(path, failure);
  return failure ? std::nullopt : std::optional(bytes);
}

void check_is_readable_file(const fs::path& path) {
  std::error_code failure;
  const auto status = fs::status(path, failure);
  if (!fs::exists(status)) {
    refuse_missing(path, failure ? failure : std::make_error_code(std::errc::no_such_file_or_directory));
  }
  if (fs::is_directory(status)) {
    refuse_folder(path);
  }
  if (!fs::is_regular_file(status)) {
    refuse(path, "is a pipe, a socket or a device, not a file");
  }
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
    refuse(path, "cannot be read: ", std::generic_category().message(errno));
  }
}

}  // namespace hyperdefect::format
