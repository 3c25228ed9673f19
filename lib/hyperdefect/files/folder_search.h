// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "hyperdefect/files/cube_names.h"
#include "hyperdefect/files/file_role.h"
#include "hyperdefect/files/path_pattern.h"

namespace hyperdefect::files {

/// What a part of a search has found, before its cubes have names.
struct SearchResult {
  std::vector<FoundCube> cubes;
  std::vector<LeftOut> left_out;
};

/// What of a folder's path leads there from `base`; an empty base is the working directory.
std::filesystem::path folder_below(const std::filesystem::path& folder, const std::filesystem::path& base);

/// The data file of a header, or the header itself if there is none or more than one.
std::filesystem::path data_or_header(const std::filesystem::path& header);

/// Judges one file, link or device: adds what stands for its cube, or says what it is for. `folder` is what
/// the cube's name keeps of its path.
void judge(const std::filesystem::path& file, const std::filesystem::path& folder, SearchResult& result);

/// Judges every file below a folder. Links to folders are followed after all real folders, so that a cube
/// keeps the name that it has without them.
/// @param base what the names of cubes are relative to: the folder itself, or one above it.
void search_folder(const std::filesystem::path& root, const std::filesystem::path& base,
                   const SearchStep& step, SearchResult& result);

}  // namespace hyperdefect::files
