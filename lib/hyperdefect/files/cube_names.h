// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "hyperdefect/files/find_cubes.h"

namespace hyperdefect::files {

/// A cube before its name is settled: `folder` is what the name should keep of its path.
struct FoundCube {
  std::filesystem::path path;
  std::filesystem::path folder;
};

/// The path with its links followed as far as they lead somewhere: the same for all names of one file.
std::filesystem::path resolved(const std::filesystem::path& path);

/// Gives every cube, of which none may be there twice, the name of its results. By construction a name is a
/// relative path below the folder of the results (no root, no `..`), not empty, no other cube's, and none
/// with which the run names its own files. If `folder`/STEM is taken, the name gets the file's extension,
/// then the folders that tell the cubes apart, then the whole path.
std::vector<CubeInput> named(const std::vector<FoundCube>& found);

}  // namespace hyperdefect::files
