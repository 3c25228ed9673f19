// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/files/find_cubes.h"
#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/model/run_config.h"
#include "hyperdefect/spectral/reflectance.h"

namespace hyperdefect::engine {

/// The references of a cube by the options and the names of files. Without `white` its values stay as the
/// file holds them.
struct ReferencePaths {
  std::filesystem::path white;
  std::filesystem::path dark;
};

/// What the options name, and what lies beside the cube in place of what they do not name.
/// @throws InputError if two files beside the cube may be the same reference, or if a dark reference is named
/// but there is no white one.
ReferencePaths references_of(const std::filesystem::path& cube, const model::DataOptions& options);

/// Whether a cube becomes reflectance, and by what.
struct Reflectance {
  /// Those that are applied.
  ReferencePaths references;
  /// Absent if the values stay as the file holds them.
  std::optional<spectral::ReflectanceConverter> converter;
};

/// Reads the references of a cube. References that only lie beside it are not applied to a cube that seems to
/// hold reflectance already. Warns of that, of a missing white or dark reference and of dead elements.
/// @throws InputError as references_of() does, and if the references cannot be read or do not fit the cube.
Reflectance reflectance_of(const format::CubeInfo& cube, const model::DataOptions& options);

/// "scan_WHITEREF.img and scan_DARKREF.img".
std::string described(const ReferencePaths& references);

/// The cubes without the references that the options name: those are not to be judged, whatever their names
/// are. Says which are left out. @throws InputError if no cube is left
std::vector<files::CubeInput> without_references(std::vector<files::CubeInput> cubes,
                                                 const model::DataOptions& options);

/// @throws InputError if a reference that the options name does not exist: every cube would fail.
void check_references(const model::DataOptions& options);

}  // namespace hyperdefect::engine
