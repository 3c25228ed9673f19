// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/config/option.h"
#include "hyperdefect/model/network_options.h"

namespace hyperdefect::model {

/// The keys of section `model` that belong to the detector `segmenter`.
struct SegmenterOptions {
  std::vector<std::int64_t> features{24, 24, 24, 24};
  std::int64_t heads = 4;
  std::int64_t networks = 1;
  std::int64_t draws = 4;
  double share = 0.5;
  double bound = 3.0;
};

/// @param model decides whether the detector takes part; it must outlive the section.
void declare(config::Section& section, SegmenterOptions& options, const ModelOptions& model);

}  // namespace hyperdefect::model
