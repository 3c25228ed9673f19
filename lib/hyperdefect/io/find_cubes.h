// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hyperdefect::io {

/// A cube to work on and the name of its results.
struct CubeInput {
  /// The data file (or a .hdr whose data file is missing, so that reading it can say so).
  std::filesystem::path path;
  /// Folder below the argument that named it, and the stem of its results: "day1/scan_07".
  std::filesystem::path relative;
  bool operator==(const CubeInput&) const = default;
};

/// The cubes that the inputs name, each once, sorted by `relative` within an input. An input is a file (data
/// or .hdr), a folder (every cube below it), a glob (* ? [a-z] {a,b}), or @list.txt with one input a line,
/// relative to the list. Folders and globs leave out what is no cube: masks, white and dark references,
/// results of this program, class maps, spectral libraries, hidden files, and files that are neither TIFF nor
/// have an ENVI header (raw data without a header is kept: reading it says what is missing). A file that is
/// named is always taken. Cubes that would have the same `relative` keep their extension (same folder) or
/// their folders (different ones).
/// @throws InputError naming an input that does not exist or holds no cube.
std::vector<CubeInput> find_cubes(const std::vector<std::string>& inputs);

}  // namespace hyperdefect::io
