// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hyperdefect::files {

/// One file as it was at a moment.
struct FileStamp {
  /// Absolute, without links.
  std::string path;
  std::int64_t size = 0;
  /// Time of the last modification, nanoseconds since 1970.
  std::int64_t modified_ns = 0;
  /// Says which file of the disk it is; 0: not known (a stamp that was stored).
  std::uint64_t identity = 0;
};

/// What a cube was at a moment: its data file and the files beside it that say something about its pixels
/// (the ENVI header, GDAL's .aux.xml and .msk, and its references).
struct CubeStamp {
  /// The data file first; empty if nothing is known.
  std::vector<FileStamp> files;
  /// The data file; "" if nothing is known.
  std::string path() const { return files.empty() ? std::string() : files.front().path; }
};

/// A file that does not exist has no part in the stamp.
/// @param others further files that decide what is made of the cube; what lies beside them counts, too
CubeStamp stamp_of(const std::filesystem::path& cube, const std::vector<std::filesystem::path>& others = {});

/// The first difference in words ("/scans/a.img had 800 bytes and has 200 now"), or "" if it is the same
/// cube, unchanged: the same files with the same sizes and times, and if both are known, the same
/// identities.
std::string change_between(const CubeStamp& before, const CubeStamp& now);

}  // namespace hyperdefect::files
