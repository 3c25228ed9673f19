// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "hyperdefect/core/error.h"

namespace hyperdefect {

/// The disk takes nothing more: it is full, over its quota or read-only. What follows would fail as well.
class StorageError : public Error {
 public:
  explicit StorageError(const std::string& message) : Error(message) {}
};

/// A file that appears whole or not at all: it is written in a temporary folder beside its target and renamed
/// by commit(). What was not committed is removed. The folder has a random name, is made by this process and
/// open to its user alone, so that nobody can plant a file or a link there; it is locked while this process
/// lives, so that remove_dead_temporaries() can tell what a killed one has left.
class AtomicFile {
 public:
  /// @throws Error with the system's reason if nothing can be made beside the target.
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where to write; the name is that of the target, for writers which go by it.
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Flushes the file to the disk and moves it to its place; a link that is there is replaced, not followed.
  /// @throws Error with the system's reason.
  void commit();

 private:
  class Folder;

  std::filesystem::path target_;
  std::unique_ptr<const Folder> folder_;
  std::filesystem::path temporary_;
};

/// Writes the bytes by an AtomicFile. @throws Error with the system's reason (a missing right), StorageError.
void write_file(const std::filesystem::path& target, std::string_view bytes);

/// Says that the target cannot be written, if a library gives the reason in words alone.
/// @throws StorageError if its folder takes no bytes at this moment, else Error.
[[noreturn]] void throw_cannot_write(const std::filesystem::path& target, const std::string& reason);

/// Makes a folder, with those above it. @throws Error with the system's reason, StorageError.
void make_folder(const std::filesystem::path& folder);

/// Removes what processes that were killed have left in this folder, not in those below it.
void remove_dead_temporaries(const std::filesystem::path& folder);

/// Makes a folder for results, with those above it, tries whether it can be written into, and removes what
/// killed processes have left there. An empty path is the working directory.
/// @throws UsageError with the system's reason.
void make_output_folder(const std::filesystem::path& folder);

/// Looks whether make_output_folder() would do, without making anything: the folder, or the nearest one above
/// it that exists, can be written into. @throws UsageError
void check_output_folder(const std::filesystem::path& folder);

}  // namespace hyperdefect
