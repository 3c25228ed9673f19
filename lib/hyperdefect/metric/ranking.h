// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

namespace hyperdefect::metric {

/// Scores from high to low; every measure of this room reads off one such ranking, so that pixels are sorted
/// once.
struct Ranking {
  /// (n): the places of the ranked pixels in the flattened map, the highest score first.
  torch::Tensor order;
  /// (distinct): each score that occurs, descending.
  torch::Tensor thresholds;
  /// (distinct) int64: the place in `order` of the last pixel that has this score.
  torch::Tensor last;
};

/// Ranks scores of any shape. Pixels that are NaN, or not `valid` (of the same shape; undefined: all are),
/// are left out.
Ranking ranked(const torch::Tensor& scores, const torch::Tensor& valid = {});

}  // namespace hyperdefect::metric
