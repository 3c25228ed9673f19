// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/map_reader.h"

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/gdal_dataset.h"

namespace hyperdefect::io {

torch::Tensor read_map(const std::filesystem::path& path, const std::optional<ExpectedSize>& expected) {
  const GdalErrors errors;
  const auto dataset = open_raster(path);
  if (!dataset) {
    throw InputError(text::cat(path.string(), ": the map cannot be read: ", errors.reason()));
  }
  check_one_page(*dataset, path);
  if (dataset->GetRasterCount() != 1) {
    throw InputError(
        text::cat(path.string(), ": a map has one band, this file has ", dataset->GetRasterCount()));
  }
  auto& band = *dataset->GetRasterBand(1);
  if (expected) {
    check_size(path, {band.GetYSize(), band.GetXSize()}, *expected);
  }
  check_tiff_blocks(*dataset, path);
  auto map = torch::empty({band.GetYSize(), band.GetXSize()}, torch::kFloat32);
  const auto result = band.RasterIO(GF_Read, 0, 0, band.GetXSize(), band.GetYSize(), map.data_ptr(),
                                    band.GetXSize(), band.GetYSize(), GDT_Float32, 0, 0, nullptr);
  if (result != CE_None || errors.any()) {
    throw InputError(text::cat(path.string(), ": the map is incomplete or damaged: ", errors.reason()));
  }
  if (const auto no_data = no_data_of(band)) {
    map.masked_fill_(map == static_cast<float>(*no_data), std::numeric_limits<float>::quiet_NaN());
  }
  return map;
}

}  // namespace hyperdefect::io
