// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/preprocess/preprocessed.h"

namespace hyperdefect::detector {

/// (areas, rows, cols) on the CPU: the norm, over components of this kind, of what area filters
/// (image/area_filter.h) take out of each. A block's are computed once for all detectors that take the same.
///
///     const auto norms = area_norms(block, {20, 0.5}, {25, 100}, image::kTwiceAsLongAsWide);
///     const auto of_small_spots = norms[0];  // (rows, cols)
///     const auto of_larger_spots = norms[1];
torch::Tensor area_norms(const preprocess::Preprocessed& block, const preprocess::ComponentSpec& spec,
                         const std::vector<std::int64_t>& areas_px, double max_elongation);

}  // namespace hyperdefect::detector
