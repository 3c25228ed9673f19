// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::format {

/// Opens raw data by our own reading of their header: GDAL's machinery for raw rasters seeks, swaps and
/// converts, but GDAL's parser of ENVI headers, which understands some spellings otherwise, is not asked.
/// Null, with the reason in a GdalErrors that lives, if the file cannot be opened.
DatasetPtr open_raw(const std::filesystem::path& data, const EnviLayout& layout);

/// The georeference that an ENVI header states.
Georeference georeference_of(const EnviHeader& header);

}  // namespace hyperdefect::format
