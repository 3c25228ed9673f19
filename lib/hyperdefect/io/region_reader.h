// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>

#include "hyperdefect/format/cube_info.h"

namespace hyperdefect::io {

/// Checks that a file is polygons or a mask image, without reading either. @throws InputError if it is not.
void check_region_file(const std::filesystem::path& file);

/// Reads the region of the product in a cube, (rows, cols) bool.
///
/// Of a mask image (PNG, TIFF, BMP ...) every pixel that is not zero is in the region; see read_mask(). Of
/// polygons (GeoJSON, GeoPackage, shapefile ...), those pixels whose centre lies in one of them. If the cube
/// has no georeference, the coordinates are pixels: x is the column and y the row, and the corner of the
/// first pixel is (0, 0). If it has one, the coordinates are in the file's CRS; without a CRS in one of the
/// two they are taken to be the cube's own.
///
/// @throws InputError for a file that cannot be read or is neither, a mask of another size, shapes other than
/// polygons, several layers, a CRS that does not lead to the cube's, and a region without a pixel.
torch::Tensor read_region(const std::filesystem::path& file, const format::CubeInfo& cube);

}  // namespace hyperdefect::io
