// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/config/option.h"
#include "hyperdefect/model/network_options.h"
#include "hyperdefect/spectral/area_filter.h"

namespace hyperdefect::model {

/// The keys of section `model` that belong to the detectors without a network.
struct ClassicalOptions {
  std::int64_t rx_components = 0;
  double rx_smoothing_px = 0.0;

  std::int64_t area_components = 20;
  double area_power = 0.5;
  std::vector<std::int64_t> area_sizes_px{25, 50, 100, 200};
  double area_extent = spectral::kTwiceAsLongAsWide;
  double area_smoothing_px = 0.5;

  std::int64_t local_components = 20;
  std::int64_t local_inner_px = 5;
  std::int64_t local_outer_px = 15;
  double local_shrinkage = 0.1;
  double local_smoothing_px = 0.5;

  std::int64_t crd_components = 30;
  double crd_power = 0.5;
  std::int64_t crd_inner_px = 7;
  std::int64_t crd_outer_px = 15;
  double crd_lambda = 1e-6;
  double crd_smoothing_px = 0.5;
};

/// @param model decides which detectors take part; it must outlive the section.
void declare(config::Section& section, ClassicalOptions& options, const ModelOptions& model);

}  // namespace hyperdefect::model
