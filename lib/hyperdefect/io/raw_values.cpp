// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/raw_values.h"

#include <numeric>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::io {
namespace {

/// Types whose values float32 does not hold exactly are read as float64.
bool is_wide(const std::string& type) {
  return type == "float64" || type.ends_with("int32") || type.ends_with("int64");
}

/// The numbers of bands in the file; empty for all of them in order, which GDAL reads fastest.
std::vector<int> numbers_in_file(const format::CubeInfo& info, const std::vector<std::int64_t>& bands) {
  std::vector<int> numbers;
  if (info.alpha_bands.empty() && static_cast<std::int64_t>(bands.size()) == info.bands.count) {
    return numbers;
  }
  for (const auto band : bands) {
    numbers.push_back(info.file_band(band));
  }
  return numbers;
}

/// GDAL before 3.7 reads signed bytes as if they had no sign.
void restore_signs(torch::Tensor& values) {
  values.sub_(values.ge(128).to(values.scalar_type()), 256);
}

/// Reads bands of a window into `values` (bands, rows, cols), float32 or float64, as the file holds them.
void read_raw(GDALDataset& dataset, const format::CubeInfo& info, const Window& window,
              const std::vector<std::int64_t>& bands, torch::Tensor& values) {
  auto numbers = numbers_in_file(info, bands);
  const auto bytes = static_cast<GSpacing>(values.element_size());
  const format::GdalErrors errors;
  const auto result = dataset.RasterIO(
      GF_Read, format::gdal_int(window.col), format::gdal_int(window.row), format::gdal_int(window.cols),
      format::gdal_int(window.rows), values.data_ptr(), format::gdal_int(window.cols),
      format::gdal_int(window.rows), values.scalar_type() == torch::kDouble ? GDT_Float64 : GDT_Float32,
      format::gdal_int(values.size(0)), numbers.empty() ? nullptr : numbers.data(), bytes,
      window.cols * bytes, window.pixels() * bytes, nullptr);
  if (result != CE_None || errors.any()) {
    throw InputError(text::concat(info.path.string(), ": reading rows ", window.row, " to ",
                                  window.end_row() - 1, " failed: ", errors.reason()));
  }
}

}  // namespace

std::vector<std::int64_t> all_bands(const format::CubeInfo& info) {
  std::vector<std::int64_t> bands(static_cast<std::size_t>(info.bands.count));
  std::iota(bands.begin(), bands.end(), std::int64_t{0});
  return bands;
}

torch::Tensor raw_values(GDALDataset& dataset, const format::CubeInfo& info, const Window& window,
                         const std::vector<std::int64_t>& bands) {
  auto values = torch::empty({static_cast<std::int64_t>(bands.size()), window.rows, window.cols},
                             is_wide(info.data_type) ? torch::kDouble : torch::kFloat);
  read_raw(dataset, info, window, bands, values);
  if (info.data_type == "int8") {
    restore_signs(values);
  }
  return values;
}

void judge(const torch::Tensor& raw, std::int64_t index, const format::BandRule& rule,
           format::PixelFlags& flags) {
  const auto band = raw[index];
  if (raw.scalar_type() == torch::kDouble) {
    flags.judge(band.const_data_ptr<double>(), rule);
  } else {
    flags.judge(band.const_data_ptr<float>(), rule);
  }
}

}  // namespace hyperdefect::io
