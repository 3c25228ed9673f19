// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/config/option.h"
#include "hyperdefect/detector/detector_options.h"

namespace hyperdefect::detector {

/// The section `segmenter`.
///
///     DetectorOptions options;
///     auto& own = options.of<SegmenterOptions>();
///     own.networks = 3;
///     own.sign_augmentations = 8;
struct SegmenterOptions {
  std::vector<std::int64_t> features{24, 24, 24, 24};
  std::int64_t heads = 4;
  std::int64_t networks = 1;
  std::int64_t sign_augmentations = 4;
  double step_fraction = 0.5;
  double fusion_cap = 3.0;
};

void declare(config::Section& section, SegmenterOptions& own, const DetectorOptions& all);

}  // namespace hyperdefect::detector
