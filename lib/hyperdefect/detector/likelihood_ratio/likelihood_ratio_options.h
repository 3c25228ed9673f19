// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "hyperdefect/config/option.h"
#include "hyperdefect/detector/detector_options.h"

namespace hyperdefect::detector {

/// The section `likelihood_ratio`.
///
///     DetectorOptions options;
///     auto& own = options.of<LikelihoodRatioOptions>();
///     own.window_px = 11;  // larger than the defects
///     own.gain = 0.1;      // brightness varies by 10 %
struct LikelihoodRatioOptions {
  std::int64_t components = 25;
  std::int64_t mixture = 3;
  std::int64_t window_px = 7;
  double global_weight = 0.5;
  double global_limit = std::numeric_limits<double>::infinity();
  double local_weight = 0.5;
  double coherence_weight = 1.0;
  double gain = 0.2;
  double tilt = 0.03;
  double texture_probability = 0.0;
  std::int64_t texture_directions = 3;
};

void declare(config::Section& section, LikelihoodRatioOptions& own, const DetectorOptions& all);

}  // namespace hyperdefect::detector
