// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace hyperdefect {

/// An open file or folder, closed at the end of its life.
class FileHandle {
 public:
  explicit FileHandle(int number) : number_(number) {}
  ~FileHandle() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  FileHandle(FileHandle&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  bool is_empty() const {
    struct stat status {};
    return ::fstat(number_, &status) == 0 && status.st_size == 0;
  }
  /// Whether the path still leads to this file, and is no link to it.
  bool is_at(const std::filesystem::path& path) const {
    struct stat named {};
    struct stat opened {};
    return ::lstat(path.c_str(), &named) == 0 && ::fstat(number_, &opened) == 0 &&
           named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
  }

 private:
  int number_;
};

}  // namespace hyperdefect
