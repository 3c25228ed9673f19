// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <variant>

namespace hyperdefect::model {

/// From raw scores, whose size means something else with every detector and scene, to how rare a score is: t
/// says that one normal pixel in 10^t scores higher. It is for training data without defects.
///
/// Above `start`, which three in ten training scores exceed, scores follow a generalised Pareto
/// distribution (Pickands, "Statistical inference using extreme order statistics", 1975), so that t goes on
/// where there is no training score left. Below it t is a line through the median: what lies there is
/// normal. A few defects do little harm: the highest 5 % of the scores are not looked at.
struct ParetoTailCalibration {
  double median = 0.0;
  double start = 1.0;
  /// Of the generalised Pareto distribution; a shape of 0 is the exponential one.
  double scale = 1.0;
  double shape = 0.0;

  bool operator==(const ParetoTailCalibration&) const = default;
};

/// From raw scores to robust standard deviations above their median. It is for a scene that holds the defects
/// itself: half of its pixels may be anything.
struct MadCalibration {
  double median = 0.0;
  double deviation = 1.0;

  bool operator==(const MadCalibration&) const = default;
};

/// Puts the scores of all scenes on one scale, so that one threshold serves them; their order stays.
///
///     const ScoreCalibration calibration = mad_calibration(training_scores);
///     const auto comparable = calibrated(scores, calibration);
///     const auto defects = comparable > 8;  // robust standard deviations
using ScoreCalibration = std::variant<ParetoTailCalibration, MadCalibration>;

/// Whether each score has a place on its scale: its numbers are of the size of scores, and those that it
/// divides by are not so small that 0 / 0 could come of it.
bool is_usable(const ScoreCalibration& calibration);

/// @param scores (n) of the training data; NaN scores are left out. If they do not vary, one unit of score
/// is one of the calibration's. @throws InputError if there is no score.
ParetoTailCalibration pareto_tail_calibration(const torch::Tensor& scores);
/// The same.
MadCalibration mad_calibration(const torch::Tensor& scores);

/// Raw scores of any shape -> calibrated ones, float32; NaN stays NaN.
torch::Tensor calibrated(const torch::Tensor& scores, const ScoreCalibration& calibration);

}  // namespace hyperdefect::model
