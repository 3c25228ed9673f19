// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/threshold.h"

#include <cmath>

#include "hyperdefect/core/error.h"

namespace hyperdefect::model {
namespace {

/// Makes the median absolute deviation of a normal distribution its standard deviation.
constexpr double kMadToSigma = 1.4826;
/// The same of the mean absolute deviation.
constexpr double kMeanToSigma = 1.2533;

}  // namespace

std::vector<double> quantiles_of(const torch::Tensor& scores, const std::vector<double>& parts) {
  const auto finite = scores.flatten().to(torch::kCPU, torch::kDouble);
  const auto sorted = std::get<0>(finite.index({finite.isfinite()}).sort());
  if (sorted.numel() == 0) {
    throw InputError("no valid score to set a threshold from: every pixel is invalid");
  }
  const double* values = sorted.const_data_ptr<double>();
  std::vector<double> quantiles;
  for (const double q : parts) {
    const double rank = q * static_cast<double>(sorted.numel() - 1);
    const auto below = static_cast<std::int64_t>(std::floor(rank));
    const auto above = std::min<std::int64_t>(below + 1, sorted.numel() - 1);
    quantiles.push_back(values[below] +
                        (rank - static_cast<double>(below)) * (values[above] - values[below]));
  }
  return quantiles;
}

double quantile_of(const torch::Tensor& scores, double q) {
  return quantiles_of(scores, {q}).front();
}

RobustSpread robust_spread(const torch::Tensor& scores) {
  const double median = quantile_of(scores, 0.5);
  const auto distances = (scores.to(torch::kDouble) - median).abs();
  const double middle = quantile_of(distances, 0.5);
  return {median, middle > 0 ? kMadToSigma * middle
                             : kMeanToSigma * distances.index({distances.isfinite()}).mean().item<double>()};
}

double threshold_from(const torch::Tensor& scores, const ThresholdOptions& options) {
  switch (options.method) {
    case ThresholdMethod::manual:
      return options.value;
    case ThresholdMethod::quantile:
      return quantile_of(scores, options.quantile);
    case ThresholdMethod::false_alarm_rate:
      return quantile_of(scores, 1.0 - options.false_alarm_rate);
    case ThresholdMethod::sigma:
      break;
  }
  const auto spread = robust_spread(scores);
  return spread.median + options.sigma * spread.deviation;
}

}  // namespace hyperdefect::model
