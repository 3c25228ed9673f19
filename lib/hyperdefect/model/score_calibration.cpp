// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/score_calibration.h"

#include <algorithm>
#include <cmath>

#include "hyperdefect/metric/quantile.h"
#include "hyperdefect/model/threshold.h"

namespace hyperdefect::model {
namespace {

/// Parts of the training scores below which: the tail begins, its shape is looked at in the middle, and it
/// may hold defects.
constexpr double kStart = 0.7;
constexpr double kMiddle = 0.82;
constexpr double kEnd = 0.95;
constexpr double kLargestShape = 5.0;
/// The least distance of the tail's start from the median, as a part of the median: double still tells them
/// apart.
constexpr double kLeastDistance = 1e-12;
constexpr int kHalvings = 60;
constexpr double kLargestScore = 1e39;
/// Far less than two scores differ by, and so large that no score is infinite when it is divided by it.
constexpr double kLeastDivisor = 1e-100;

/// ((1 - q)^-shape - 1) / shape: where the part q of a generalised Pareto distribution of scale 1 lies below.
double pareto_quantile(double shape, double q) {
  const double logarithm = -std::log1p(-q);
  return shape > 0 ? std::expm1(shape * logarithm) / shape : logarithm;
}

/// The part of the tail's scores that lies below the part q of all.
double within_tail(double q) {
  return (q - kStart) / (1 - kStart);
}

/// The shape whose quantiles have this ratio; it grows with the shape.
double shape_for(double ratio) {
  const auto ratio_of = [](double shape) {
    return pareto_quantile(shape, within_tail(kEnd)) / pareto_quantile(shape, within_tail(kMiddle));
  };
  double low = 0.0;
  double high = kLargestShape;
  if (ratio <= ratio_of(low)) {
    return low;
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (ratio_of(middle) < ratio ? low : high) = middle;
  }
  return low;
}

/// Scores are float32: what lies beyond is none.
bool is_score(double value) {
  return std::abs(value) <= kLargestScore;
}

bool is_divisor(double value) {
  return value >= kLeastDivisor && value <= kLargestScore;
}

bool usable(const ParetoTailCalibration& tail) {
  return is_score(tail.median) && is_score(tail.start) && is_divisor(tail.start - tail.median) &&
         is_divisor(tail.scale) && tail.shape >= 0 && tail.shape <= kLargestShape;
}

bool usable(const MadCalibration& robust) {
  return is_score(robust.median) && is_divisor(robust.deviation);
}

torch::Tensor applied(const ParetoTailCalibration& calibration, const torch::Tensor& raw) {
  const double at_median = std::log10(2.0);
  const double at_start = -std::log10(1 - kStart);
  const double slope = (at_start - at_median) / (calibration.start - calibration.median);
  const auto below = at_median + (raw - calibration.median) * slope;
  const auto excess = (raw - calibration.start).clamp_min(0) / calibration.scale;
  const auto decades =
      (calibration.shape > 0 ? (excess * calibration.shape).log1p() / calibration.shape : excess) /
      std::log(10.0);
  return torch::where(raw > calibration.start, at_start + decades, below);
}

torch::Tensor applied(const MadCalibration& calibration, const torch::Tensor& raw) {
  return (raw - calibration.median) / calibration.deviation;
}

}  // namespace

bool is_usable(const ScoreCalibration& calibration) {
  return std::visit([](const auto& fitted) { return usable(fitted); }, calibration);
}

ParetoTailCalibration pareto_tail_calibration(const torch::Tensor& scores) {
  ParetoTailCalibration fitted;
  const auto quantiles = metric::quantiles_of(scores, {0.5, kStart, kMiddle, kEnd});
  fitted.median = quantiles[0];
  fitted.start = quantiles[1];
  const double middle = quantiles[2] - fitted.start;
  const double end = quantiles[3] - fitted.start;
  if (middle > 0 && end > middle) {
    fitted.shape = shape_for(end / middle);
    fitted.scale = end / pareto_quantile(fitted.shape, within_tail(kEnd));
  }
  if (fitted.start <= fitted.median) {
    fitted.start = fitted.median + std::max(fitted.scale, kLeastDistance * std::abs(fitted.median));
  }
  return fitted;
}

MadCalibration mad_calibration(const torch::Tensor& scores) {
  const auto spread = robust_spread(scores);
  return {spread.median, spread.deviation > 0 ? spread.deviation : 1.0};
}

torch::Tensor calibrated(const torch::Tensor& scores, const ScoreCalibration& calibration) {
  const auto raw = scores.to(torch::kDouble);
  return std::visit([&](const auto& fitted) { return applied(fitted, raw); }, calibration).to(torch::kFloat);
}

}  // namespace hyperdefect::model
