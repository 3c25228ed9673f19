// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/config/option.h"

namespace hyperdefect::preprocess {

/// What is applied to each value first.
enum class Transform { none, log };

/// The section `preprocess`: from the bands of a cube to the components that the network sees.
struct PreprocessOptions {
  bool use_bad_band_list = true;
  double min_wavelength_nm = 0.0;
  double max_wavelength_nm = 0.0;
  std::vector<double> drop_ranges_nm;
  std::vector<std::int64_t> drop_bands;
  double max_noise_fraction = 1.0;
  double wavelength_tolerance_nm = 0.5;
  bool interpolate = false;
  Transform transform = Transform::none;
  double log_floor = 1e-3;
  std::int64_t bins = 0;
  std::int64_t components = 30;
  double whitening_exponent = 0.25;
  double trim_fraction = 0.0;
};

/// @param takes_features whether a detector takes transformed spectra.
/// @param takes_components whether a detector takes the components that the options describe.
void declare(config::Section& section, PreprocessOptions& options, const config::Use& takes_features,
             const config::Use& takes_components);

}  // namespace hyperdefect::preprocess
