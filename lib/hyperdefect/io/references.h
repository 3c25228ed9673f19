// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/spectral/reflectance.h"

namespace hyperdefect::io {

/// A white reference and a dark one, as they were opened. Without a dark reference the dark signal is taken
/// as 0.
struct References {
  format::CubeInfo white;
  std::optional<format::CubeInfo> dark;
};

/// Whether a cube seems to hold reflectance already, so that its references would convert it a second time:
/// its values are floating-point numbers or have a scale, and the white reference has neither.
bool seems_converted(const format::CubeInfo& cube, const format::CubeInfo& white);

/// Reads the references of a cube and averages them over their lines, of which they may have another number
/// than the cube. Raw values count, whatever scale the files state. An element is dead if any of its lines is
/// saturated: at options.saturation, else at the largest value of an integer type.
/// @throws InputError naming the file: for a reference that cannot be read, or has other columns, bands or
/// wavelengths than the cube; if more than half of the elements are dead.
spectral::ReflectanceConverter read_references(const References& references, const format::CubeInfo& cube,
                                               const format::ReadOptions& options = {});

}  // namespace hyperdefect::io
