// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "hyperdefect/files/file_role.h"

namespace hyperdefect::files {

/// What the name alone says: white_reference, dark_reference, or cube if it says nothing. STEM_white and
/// white_STEM may be names of parts; they are references if STEM lies beside them.
FileRole role_of_name(const std::filesystem::path& file);

/// Files that may be the references of a cube; more than one if the names do not decide.
struct ReferencesBeside {
  std::vector<std::filesystem::path> white;
  std::vector<std::filesystem::path> dark;
};

/// The references in the folder of a cube, by their names: those that hold its stem (STEM_WHITEREF,
/// WHITEREF_STEM, STEM_white, white_STEM ...), else those of the whole folder (white, whiteref,
/// white_reference
/// ...); "dark" likewise. Case matters in STEM alone. A search for cubes leaves these files out. Empty for a
/// file that is a reference itself.
ReferencesBeside references_beside(const std::filesystem::path& cube);

}  // namespace hyperdefect::files
