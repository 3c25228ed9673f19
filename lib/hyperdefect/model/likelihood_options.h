// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "hyperdefect/config/option.h"
#include "hyperdefect/model/network_options.h"

namespace hyperdefect::model {

/// The keys of section `model` that the detector `likelihood` takes.
struct LikelihoodOptions {
  std::int64_t components = 25;
  std::int64_t mixture = 3;
  std::int64_t window_px = 7;
  double global_weight = 0.5;
  double local_weight = 0.5;
  double coherence_weight = 1.0;
  double gain = 0.2;
  double tilt = 0.03;
};

/// @param model decides whether the detector takes part; it must outlive the section.
void declare(config::Section& section, LikelihoodOptions& options, const ModelOptions& model);

}  // namespace hyperdefect::model
