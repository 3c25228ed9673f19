// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

namespace hyperdefect::engine {

/// From raw scores, whose size means something else with every detector and scene, to how rare a score is: t
/// says that one normal pixel in 10^t scores higher. So one threshold serves all scenes. The order of the
/// scores stays.
///
/// Above `start`, which three in ten training scores exceed, scores follow a generalised Pareto
/// distribution (Pickands, "Statistical inference using extreme order statistics", 1975), so that t goes on
/// where there is no training score left. Below it t is a line through the median: what lies there is
/// normal. Training data may hold defects: the highest 5 % of their scores are not looked at.
struct ScoreCalibration {
  double median = 0.0;
  double start = 1.0;
  /// Of the generalised Pareto distribution; a shape of 0 is the exponential one.
  double scale = 1.0;
  double shape = 0.0;

  bool operator==(const ScoreCalibration&) const = default;
};

/// @param scores (n) of the training data; NaN scores are left out. Where they do not vary, one unit of score
/// is one of the distribution's. @throws InputError where there is no score.
ScoreCalibration calibration_from(const torch::Tensor& scores);

/// Raw scores of any shape -> t, float32; NaN stays NaN.
torch::Tensor calibrated(const torch::Tensor& scores, const ScoreCalibration& calibration);

}  // namespace hyperdefect::engine
