// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/mask_reader.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/gdal_dataset.h"

namespace hyperdefect::io {
namespace {

/// Adds what a band marks to the mask.
CPLErr add_marked(GDALRasterBand& band, torch::Tensor& mask) {
  auto values = torch::empty(mask.sizes(), torch::kFloat64);
  const auto result = band.RasterIO(GF_Read, 0, 0, band.GetXSize(), band.GetYSize(), values.data_ptr(),
                                    band.GetXSize(), band.GetYSize(), GDT_Float64, 0, 0, nullptr);
  auto marked = (values != 0).logical_and_(values.isnan().logical_not_());
  if (const auto no_data = no_data_of(band)) {
    marked.logical_and_(values != *no_data);
  }
  mask.logical_or_(marked);
  return result;
}

}  // namespace

torch::Tensor read_mask(const std::filesystem::path& path) {
  const GdalErrors errors;
  const auto dataset = open_raster(path);
  if (!dataset) {
    throw InputError(text::cat(path.string(), ": the mask cannot be read: ", errors.reason()));
  }
  auto mask = torch::zeros({dataset->GetRasterYSize(), dataset->GetRasterXSize()}, torch::kBool);
  bool whole = true;
  for (int i = 1; i <= dataset->GetRasterCount(); ++i) {
    auto& band = *dataset->GetRasterBand(i);
    if (band.GetColorInterpretation() != GCI_AlphaBand) {
      whole = add_marked(band, mask) == CE_None && whole;
    }
  }
  if (!whole || errors.any()) {
    throw InputError(text::cat(path.string(), ": the mask is incomplete or damaged: ", errors.reason()));
  }
  return mask;
}

}  // namespace hyperdefect::io
