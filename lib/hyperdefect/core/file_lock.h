// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "hyperdefect/core/file_handle.h"

namespace hyperdefect {

/// A file that one process at a time holds. The hold ends with the process, however it ends, and the file is
/// removed when its holder lets go. A file that a killed process has left is nobody's and can be held anew.
///
/// Example: `const auto lock = FileLock::try_hold(folder / ".lock", "process 17"); if (!lock) { ... }`
class FileLock {
 public:
  /// Holds the file and writes the note into it; nothing if another process (or this one) holds it. If the
  /// file system knows no locks a warning says so, and the file counts as held.
  /// @throws Error with the system's reason if the file cannot be made.
  static std::optional<FileLock> try_hold(const std::filesystem::path& path, std::string_view note);

  /// Whether somebody holds the file.
  static bool is_held(const std::filesystem::path& path);

  /// The note of whoever holds the file; "" if there is none.
  static std::string note_in(const std::filesystem::path& path);

  ~FileLock();
  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) = delete;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  FileLock(std::filesystem::path path, FileHandle file);
  void write(std::string_view note) const;

  std::filesystem::path path_;
  FileHandle file_;
};

}  // namespace hyperdefect
