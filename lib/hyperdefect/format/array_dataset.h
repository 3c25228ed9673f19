// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::format {

/// The array as a raster of (bands, rows, cols), whatever the order of its dimensions; null, with the reason
/// in a GdalErrors that lives, if it cannot be opened. A window of all bands is read with one access.
DatasetPtr open_array(DatasetPtr file, const CubeArray& place);

}  // namespace hyperdefect::format
