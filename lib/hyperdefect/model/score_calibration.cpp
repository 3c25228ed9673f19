// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/score_calibration.h"

#include <ATen/ops/searchsorted.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/threshold.h"

namespace hyperdefect::model {
namespace {

/// The highest scores are knots each; below them the ranks of knots grow by this factor: a line between two
/// of them is off by less than 0.005 decades.
constexpr std::int64_t kSingleRanks = 200;
constexpr double kRankStep = 1.01;
/// The tail is fitted to one in ten scores, but not to more than these.
constexpr std::int64_t kTailPart = 10;
constexpr std::int64_t kMostInTail = 1000;
constexpr std::int64_t kFewestInTail = 5;
constexpr double kLargestShape = 5.0;
constexpr double kLargestScore = 1e39;
/// Far less than two scores differ by, and so large that no score is infinite when it is divided by it.
constexpr double kLeastDivisor = 1e-100;

std::vector<double> sorted_scores(const torch::Tensor& scores) {
  const auto finite = scores.masked_select(scores.isfinite()).to(torch::kCPU, torch::kDouble).contiguous();
  if (finite.numel() == 0) {
    throw InputError("no valid score: every pixel is invalid");
  }
  std::vector<double> sorted(finite.const_data_ptr<double>(),
                             finite.const_data_ptr<double>() + finite.numel());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

struct Pareto {
  double scale;
  double shape;
};

/// By probability-weighted moments. Their shape is below 1; a tail that ends is taken for an exponential one,
/// so that no score is beyond all probability.
Pareto pareto_of(const std::vector<double>& ascending_excesses) {
  const auto n = static_cast<double>(ascending_excesses.size());
  double mean = 0.0;
  double weighted = 0.0;
  for (std::size_t i = 0; i < ascending_excesses.size(); ++i) {
    mean += ascending_excesses[i] / n;
    weighted += (n - 1 - static_cast<double>(i)) / (n - 1) * ascending_excesses[i] / n;
  }
  const double difference = mean - 2 * weighted;
  const double shape = difference > 0 ? std::clamp(2 - mean / difference, 0.0, kLargestShape) : 0.0;
  return {mean * (1 - shape), shape};
}

/// Of what exceeds the highest score.
Pareto pareto_beyond(const std::vector<double>& sorted) {
  const auto count = static_cast<std::int64_t>(sorted.size());
  const auto tail = std::clamp(count / kTailPart, std::min(kFewestInTail, count - 1), kMostInTail);
  if (tail >= 2) {
    const double start = sorted[static_cast<std::size_t>(count - tail - 1)];
    std::vector<double> excesses;
    std::transform(sorted.end() - tail, sorted.end(), std::back_inserter(excesses),
                   [start](double score) { return score - start; });
    auto fitted = pareto_of(excesses);
    fitted.scale += fitted.shape * excesses.back();
    if (fitted.scale >= kLeastDivisor) {
      return fitted;
    }
  }
  return {1 / std::log(10.0), 0.0};
}

/// Scores are float32: what lies beyond is none.
bool is_score(double value) {
  return std::abs(value) <= kLargestScore;
}

bool is_divisor(double value) {
  return value >= kLeastDivisor && value <= kLargestScore;
}

/// Whether each is larger than the one before it by enough to divide by.
bool ascends(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(),
                            [](double a, double b) { return !is_divisor(b - a); }) == values.end();
}

bool usable(const FalseAlarmCalibration& fitted) {
  const auto are_scores = [](const auto& values) {
    return std::all_of(values.begin(), values.end(), is_score);
  };
  return fitted.count >= 0 && !fitted.scores.empty() && fitted.scores.size() == fitted.decades.size() &&
         are_scores(fitted.scores) && are_scores(fitted.decades) && ascends(fitted.scores) &&
         ascends(fitted.decades) && is_divisor(fitted.scale) && fitted.shape >= 0 &&
         fitted.shape <= kLargestShape;
}

bool usable(const MadCalibration& robust) {
  return is_score(robust.median) && is_divisor(robust.deviation);
}

/// Between and below the knots; what lies below the first one continues the first line.
torch::Tensor interpolated(const FalseAlarmCalibration& calibration, const torch::Tensor& raw) {
  const auto knots = static_cast<std::int64_t>(calibration.scores.size());
  if (knots == 1) {
    return calibration.decades.front() + (raw - calibration.scores.front());
  }
  const auto scores = torch::tensor(calibration.scores, torch::kDouble).to(raw.device());
  const auto decades = torch::tensor(calibration.decades, torch::kDouble).to(raw.device());
  const auto slopes = decades.diff() / scores.diff();
  const auto segment = (torch::searchsorted(scores, raw) - 1).clamp(0, knots - 2);
  return decades.take(segment) + (raw - scores.take(segment)) * slopes.take(segment);
}

torch::Tensor applied(const FalseAlarmCalibration& calibration, const torch::Tensor& raw) {
  const double last = calibration.scores.back();
  const auto excess = (raw - last).clamp_min(0) / calibration.scale;
  const auto decades =
      (calibration.shape > 0 ? (excess * calibration.shape).log1p() / calibration.shape : excess) /
      std::log(10.0);
  return torch::where(raw > last, calibration.decades.back() + decades, interpolated(calibration, raw));
}

torch::Tensor applied(const MadCalibration& calibration, const torch::Tensor& raw) {
  return (raw - calibration.median) / calibration.deviation;
}

}  // namespace

double supported_decades(const FalseAlarmCalibration& calibration) {
  return std::log10(static_cast<double>(calibration.count) + 1);
}

bool is_usable(const ScoreCalibration& calibration) {
  return std::visit([](const auto& fitted) { return usable(fitted); }, calibration);
}

FalseAlarmCalibration false_alarm_calibration(const torch::Tensor& scores) {
  const auto sorted = sorted_scores(scores);
  const auto count = static_cast<std::int64_t>(sorted.size());
  FalseAlarmCalibration fitted{count, {}, {}, 1.0, 0.0};
  const auto add = [&](std::int64_t rank) {
    const double score = sorted[static_cast<std::size_t>(count - rank)];
    if (fitted.scores.empty() || is_divisor(fitted.scores.back() - score)) {
      const auto below = std::lower_bound(sorted.begin(), sorted.end(), score) - sorted.begin();
      fitted.scores.push_back(score);
      fitted.decades.push_back(
          std::log10((static_cast<double>(count) + 1) / (1 + static_cast<double>(count - below))));
    }
  };
  for (std::int64_t rank = 1; rank < count;
       rank = rank < kSingleRanks ? rank + 1
                                  : static_cast<std::int64_t>(static_cast<double>(rank) * kRankStep)) {
    add(rank);
  }
  add(count);
  std::reverse(fitted.scores.begin(), fitted.scores.end());
  std::reverse(fitted.decades.begin(), fitted.decades.end());
  const auto [scale, shape] = pareto_beyond(sorted);
  fitted.scale = scale;
  fitted.shape = shape;
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
