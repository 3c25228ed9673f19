// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "support/temp_dir.h"

namespace hyperdefect::fuzz {

/// A file for functions that take a path. It lies in the system's temporary folder (TMPDIR), which
/// scripts/fuzz.sh puts into memory.
class InputFile {
 public:
  explicit InputFile(const char* name) : path_(folder_ / name) {}

  const std::filesystem::path& path() const { return path_; }
  /// The path, whose file now holds the bytes.
  const std::filesystem::path& holding(std::string_view bytes) const {
    test::write_bytes(path_, bytes);
    return path_;
  }

 private:
  test::TempDir folder_;
  std::filesystem::path path_;
};

}  // namespace hyperdefect::fuzz
