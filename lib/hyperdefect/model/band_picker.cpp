// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/band_picker.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::model {

std::vector<std::int64_t> band_indices_in_use(const spectral::Bands& cube, const PreprocessOptions& options) {
  auto indices =
      spectral::usable_bands(cube, {options.use_bad_band_list, options.min_wavelength_nm,
                                    options.max_wavelength_nm, options.drop_ranges_nm, options.drop_bands});
  if (indices.empty()) {
    throw InputError(text::cat("none of the cube's ", text::counted(cube.count, "band"),
                               " is left: see preprocess.drop_bands, drop_ranges_nm, min_wavelength_nm, "
                               "max_wavelength_nm and use_bad_band_list"));
  }
  return indices;
}

spectral::Bands bands_in_use(const spectral::Bands& cube, const PreprocessOptions& options) {
  return spectral::select(cube, band_indices_in_use(cube, options));
}

BandPicker::BandPicker(const spectral::Bands& cube, const spectral::Bands& model,
                       const PreprocessOptions& options) {
  if (!cube.wavelengths_nm.empty() && !model.wavelengths_nm.empty()) {
    match_ = spectral::match_bands(cube, model, options.wavelength_tolerance_nm, options.interpolate);
    return;
  }
  const auto indices = band_indices_in_use(cube, options);
  match_ = spectral::match_bands(spectral::select(cube, indices), model, options.wavelength_tolerance_nm,
                                 options.interpolate);
  if (static_cast<std::int64_t>(indices.size()) != cube.count) {
    in_use_ = torch::tensor(indices, torch::kLong);
  }
}

torch::Tensor BandPicker::of(const torch::Tensor& values) const {
  return spectral::apply(match_, in_use_ ? values.index_select(0, in_use_->to(values.device())) : values);
}

}  // namespace hyperdefect::model
