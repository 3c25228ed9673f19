// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace hyperdefect {

/// A file that appears whole or not at all: it is written under a temporary name in the target's own folder
/// and renamed by commit(). What was not committed is removed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where to write; it ends like the target, so that writers which go by the extension are content.
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Flushes the file to the disk and gives it its name.
  /// @throws Error with the system's reason.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
};

/// Writes the bytes by an AtomicFile. @throws Error with the system's reason (a full disk, a missing right).
void write_file(const std::filesystem::path& target, std::string_view bytes);

/// Makes a folder for results, with those above it, and tries whether it can be written into. An empty path
/// is the working directory. @throws UsageError with the system's reason.
void make_output_folder(const std::filesystem::path& folder);

}  // namespace hyperdefect
