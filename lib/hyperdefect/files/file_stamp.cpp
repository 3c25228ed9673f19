// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/files/file_stamp.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "hyperdefect/core/text.h"
#include "hyperdefect/format/envi_header.h"

namespace hyperdefect::files {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::optional<FileStamp> stamp_of_file(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    return std::nullopt;
  }
  std::error_code vanished;
  const auto canonical = fs::canonical(file, vanished);
  return FileStamp{vanished ? file.string() : canonical.string(), status.st_size,
                   status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec, status.st_ino};
}

/// The data file, and whatever beside it may change how its pixels are read.
std::vector<fs::path> files_of(const fs::path& cube) {
  std::vector<fs::path> files{cube};
  if (const auto header =
          format::has_header_extension(cube) ? std::nullopt : format::find_envi_header(cube)) {
    files.push_back(*header);
  }
  for (const char* ending : {".aux.xml", ".msk"}) {
    files.push_back(cube.string() + ending);
  }
  return files;
}

const FileStamp* found_in(const CubeStamp& stamp, const std::string& path) {
  const auto found = std::find_if(stamp.files.begin(), stamp.files.end(),
                                  [&path](const FileStamp& file) { return file.path == path; });
  return found == stamp.files.end() ? nullptr : &*found;
}

std::string change_of_file(const FileStamp& before, const FileStamp& now) {
  if (before.size != now.size) {
    return text::concat(before.path, " had ", before.size, " bytes and has ", now.size, " now");
  }
  if (before.modified_ns != now.modified_ns) {
    return text::concat(before.path, " was modified");
  }
  const bool known = before.identity != 0 && now.identity != 0;
  return known && before.identity != now.identity ? text::concat(before.path, " was replaced by another file")
                                                  : std::string();
}

}  // namespace

CubeStamp stamp_of(const fs::path& cube, const std::vector<fs::path>& more) {
  CubeStamp stamp;
  auto files = files_of(cube);
  files.insert(files.end(), more.begin(), more.end());
  for (const auto& file : files) {
    if (const auto found = stamp_of_file(file)) {
      stamp.files.push_back(*found);
    }
  }
  return stamp;
}

std::string change_between(const CubeStamp& before, const CubeStamp& now) {
  for (const auto& file : before.files) {
    const auto* same = found_in(now, file.path);
    if (same == nullptr) {
      return text::concat(file.path, " is gone");
    }
    if (auto change = change_of_file(file, *same); !change.empty()) {
      return change;
    }
  }
  for (const auto& file : now.files) {
    if (found_in(before, file.path) == nullptr) {
      return text::concat(file.path, " is new");
    }
  }
  return {};
}

}  // namespace hyperdefect::files
