// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mount.h>

#include <string>

#include "support/temp_dir.h"

namespace hyperdefect::test {

/// A folder that is a disk of its own with so many KiB, where the test may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(int kibibytes) {
    const auto options = "size=" + std::to_string(kibibytes) + "k";
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(folder_.path().c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return folder_ / name; }

 private:
  TempDir folder_;
  bool mounted_ = false;
};

}  // namespace hyperdefect::test
