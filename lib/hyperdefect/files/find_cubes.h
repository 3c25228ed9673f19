// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hyperdefect/files/file_role.h"

namespace hyperdefect::files {

/// A cube to work on and the name of its results.
struct CubeInput {
  /// The data file; or what stands for it, so that reading it can say what is wrong: a .hdr whose data file
  /// is missing, a link that leads nowhere, a folder that cannot be searched.
  std::filesystem::path path;
  /// Folder below the argument that named it, and the stem of its results: "day1/scan_07". Always a relative
  /// path that leads downwards, and another one for each cube.
  std::filesystem::path relative;
  bool operator==(const CubeInput&) const = default;
};

/// What a search has found, and what it has passed over on purpose.
struct FoundCubes {
  std::vector<CubeInput> cubes;
  std::vector<LeftOut> left_out;
};

/// Whether the user wants the search to end.
using StopRequested = std::function<bool()>;

/// The cubes that the inputs name, each once, sorted by path within an input. An input is a file (data or
/// .hdr), a folder (every cube below it), a glob (* ? [a-z] {a,b}), or @list.txt with one input a line,
/// relative to the list, and comments behind a # that begins the line. What exists is taken by its name, even
/// if it looks like a glob or a list.
///
/// A file that is named is always taken. In folders and globs a file is judged by its content: an image of
/// many bands is a cube, whatever it is called; a data file and its header are one cube. What is not a cube
/// (FileRole) is handed out in `left_out`, so that the files of a folder are all accounted for. What was
/// meant as a cube but cannot be read is a cube here: a damaged header, a header without data, raw data
/// without a header, a broken link, a folder without permission. Links to files and folders are followed; a
/// folder is searched once, and pipes and devices are never opened.
/// @throws InputError naming an input that does not exist or holds no cube, or a limit that is exceeded;
/// Interrupted as soon as `stop_requested` says so.
FoundCubes find_cubes(const std::vector<std::string>& inputs, const StopRequested& stop_requested = {});

}  // namespace hyperdefect::files
