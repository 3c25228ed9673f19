// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <variant>
#include <vector>

namespace hyperdefect::model {

/// From raw scores, whose size means something else with every detector and product, to -log10 of the
/// false-alarm probability: 3 says that one normal pixel in 1000 scores so high. It is for scores of normal
/// pixels that the fit did not see.
///
/// Of a score x it is the conformal p-value (Vovk et al., "Algorithmic Learning in a Random World", 2005),
/// (1 + number of held-out scores >= x) / (count + 1), at the knots, and a line between them, which is off by
/// at most 1 %. Beyond the highest held-out score nothing was measured.
/// There, a generalised Pareto distribution that was fitted to the highest tenth (Hosking and Wallis,
/// "Parameter and quantile estimation for the generalized Pareto distribution", 1987) continues the scale, so
/// that it stays monotone: what exceeds supported_decades() is extrapolated.
struct FalseAlarmCalibration {
  /// How many held-out scores were seen; 0 if that is not known.
  std::int64_t count = 0;
  /// Scores, ascending, and what they become, ascending; as many.
  std::vector<double> scores{0.0};
  std::vector<double> decades{0.0};
  /// Of the generalised Pareto distribution beyond the last knot; a shape of 0 is the exponential one.
  double scale = 1.0;
  double shape = 0.0;

  bool operator==(const FalseAlarmCalibration&) const = default;
};

/// The largest -log10 of a false-alarm probability that the held-out scores support, log10(count + 1).
double supported_decades(const FalseAlarmCalibration& calibration);

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
using ScoreCalibration = std::variant<FalseAlarmCalibration, MadCalibration>;

/// Whether each score has a place on its scale: its numbers are of the size of scores, they ascend, and those
/// that it divides by are not so small that 0 / 0 could come of it.
bool is_usable(const ScoreCalibration& calibration);

/// @param scores (n) of normal pixels, best of those that the fit did not see; NaN scores are left out. If
/// they do not vary, one unit of score is one of the calibration's. @throws InputError if there is no score.
FalseAlarmCalibration false_alarm_calibration(const torch::Tensor& scores);
/// The same.
MadCalibration mad_calibration(const torch::Tensor& scores);

/// Raw scores of any shape -> calibrated ones, float32; NaN stays NaN.
torch::Tensor calibrated(const torch::Tensor& scores, const ScoreCalibration& calibration);

}  // namespace hyperdefect::model
