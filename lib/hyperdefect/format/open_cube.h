// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::format {

/// Opens a cube by its layout or its array, which the info holds, else with the drivers that may open it.
/// Null, with the reason in a GdalErrors that lives, if it cannot be opened.
DatasetPtr open_cube(const CubeInfo& info, const ReadOptions& options);

}  // namespace hyperdefect::format
