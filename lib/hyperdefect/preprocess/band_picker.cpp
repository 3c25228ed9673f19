// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/band_picker.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::preprocess {
namespace {

std::vector<bool> flags_of(const std::vector<std::int64_t>& indices, std::int64_t count) {
  std::vector<bool> flags(static_cast<std::size_t>(count), false);
  for (const auto index : indices) {
    flags[static_cast<std::size_t>(index)] = true;
  }
  return flags;
}

/// Whether the bands that the options leave of the cube are just the model's. Then nothing has to be searched
/// for: bands of one wavelength, of which some are left out, could be mistaken for each other.
bool leaves_bands_of(const spectral::Bands& model, const spectral::Bands& cube,
                     const PreprocessOptions& options) {
  try {
    return bands_in_use(cube, options).wavelengths_nm == model.wavelengths_nm;
  } catch (const InputError&) {
    // The options were made for another cube.
    return false;
  }
}

}  // namespace

std::vector<std::int64_t> band_indices_in_use(const spectral::Bands& cube, const PreprocessOptions& options) {
  auto indices =
      spectral::usable_bands(cube, {options.use_bad_band_list, options.min_wavelength_nm,
                                    options.max_wavelength_nm, options.drop_ranges_nm, options.drop_bands});
  if (indices.empty()) {
    throw InputError(text::concat("none of the cube's ", text::pluralise(cube.count, "band"),
                                  " is left: see preprocess.drop_bands, drop_ranges_nm, min_wavelength_nm, "
                                  "max_wavelength_nm and use_bad_band_list"));
  }
  return indices;
}

std::vector<bool> band_flags_in_use(const spectral::Bands& cube, const PreprocessOptions& options) {
  return flags_of(band_indices_in_use(cube, options), cube.count);
}

spectral::Bands bands_in_use(const spectral::Bands& cube, const PreprocessOptions& options) {
  return spectral::select(cube, band_indices_in_use(cube, options));
}

BandPicker::BandPicker(const spectral::Bands& cube, const spectral::Bands& model,
                       const PreprocessOptions& options)
    : cube_bands_(cube.count) {
  const bool by_wavelength = !cube.wavelengths_nm.empty() && !model.wavelengths_nm.empty();
  if (by_wavelength && !leaves_bands_of(model, cube, options)) {
    match_ = spectral::match_bands(cube, model, options.wavelength_tolerance_nm, options.interpolate);
    return;
  }
  const auto indices = band_indices_in_use(cube, options);
  const spectral::Bands in_use{static_cast<std::int64_t>(indices.size()), {}, {}, {}};
  match_ = spectral::match_bands(in_use, model, options.wavelength_tolerance_nm, options.interpolate);
  if (static_cast<std::int64_t>(indices.size()) != cube.count) {
    in_use_ = torch::tensor(indices, torch::kLong);
  }
}

torch::Tensor BandPicker::of(const torch::Tensor& values) const {
  return spectral::apply(match_, in_use_ ? values.index_select(0, in_use_->to(values.device())) : values);
}

spectral::Block BandPicker::of(const spectral::Block& block) const {
  auto picked = block;
  picked.values = of(block.values);
  return picked;
}

std::vector<bool> BandPicker::bands_read() const {
  auto read = match_.lower;
  read.insert(read.end(), match_.upper.begin(), match_.upper.end());
  if (in_use_) {
    for (auto& band : read) {
      band = (*in_use_)[band].item<std::int64_t>();
    }
  }
  return flags_of(read, cube_bands_);
}

}  // namespace hyperdefect::preprocess
