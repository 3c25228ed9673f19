// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/config/option.h"
#include "hyperdefect/model/network_options.h"

namespace hyperdefect::model {

/// The section `preprocess`: from the bands of a cube to the components that the network sees.
struct PreprocessOptions {
  bool use_bad_band_list = true;
  double min_wavelength_nm = 0.0;
  double max_wavelength_nm = 0.0;
  std::vector<double> drop_ranges_nm;
  std::vector<std::int64_t> drop_bands;
  double noise_limit = 1.0;
  double wavelength_tolerance_nm = 0.5;
  bool interpolate = false;
  std::string transform = "none";
  double log_floor = 1e-3;
  std::int64_t bins = 0;
  std::int64_t components = 30;
  double power = 0.25;
  double trim_fraction = 0.0;
};

/// @param model decides which keys a detector takes; it must outlive the section.
void declare(config::Section& section, PreprocessOptions& options, const ModelOptions& model);

}  // namespace hyperdefect::model
