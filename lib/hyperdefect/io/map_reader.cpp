// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/map_reader.h"

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::io {

torch::Tensor read_map(const std::filesystem::path& path, const std::optional<ExpectedSize>& expected) {
  const format::GdalErrors errors;
  const auto dataset = format::open_raster(path);
  if (!dataset) {
    throw InputError(text::concat(path.string(), ": the map cannot be read: ", errors.reason()));
  }
  format::check_one_page(*dataset, path);
  if (dataset->GetRasterCount() != 1) {
    throw InputError(
        text::concat(path.string(), ": a map has one band, but this file has ", dataset->GetRasterCount()));
  }
  auto& band = *dataset->GetRasterBand(1);
  if (expected) {
    check_size(path, {band.GetYSize(), band.GetXSize()}, *expected);
  }
  format::check_tiff_blocks(*dataset, path);
  auto map = torch::empty({band.GetYSize(), band.GetXSize()}, torch::kFloat32);
  const auto result = band.RasterIO(GF_Read, 0, 0, band.GetXSize(), band.GetYSize(), map.data_ptr(),
                                    band.GetXSize(), band.GetYSize(), GDT_Float32, 0, 0, nullptr);
  if (result != CE_None || errors.any()) {
    throw InputError(text::concat(path.string(), ": the map is incomplete or damaged: ", errors.reason()));
  }
  if (const auto no_data = format::no_data_of(band)) {
    map.masked_fill_(map == static_cast<float>(*no_data), std::numeric_limits<float>::quiet_NaN());
  }
  return map;
}

}  // namespace hyperdefect::io
