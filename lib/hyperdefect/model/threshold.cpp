// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/threshold.h"

#include "hyperdefect/metric/quantile.h"

namespace hyperdefect::model {
namespace {

/// Makes the median absolute deviation of a normal distribution its standard deviation.
constexpr double kMadToSigma = 1.4826;
/// The same of the mean absolute deviation.
constexpr double kMeanToSigma = 1.2533;

}  // namespace

RobustSpread robust_spread(const torch::Tensor& scores) {
  const double median = metric::quantile_of(scores, 0.5);
  const auto distances = (scores.to(torch::kDouble) - median).abs();
  const double middle = metric::quantile_of(distances, 0.5);
  return {median, middle > 0 ? kMadToSigma * middle
                             : kMeanToSigma * distances.index({distances.isfinite()}).mean().item<double>()};
}

double threshold_from(const torch::Tensor& scores, const ThresholdOptions& options) {
  switch (options.method) {
    case ThresholdMethod::manual:
      return options.value;
    case ThresholdMethod::quantile:
      return metric::quantile_of(scores, options.quantile);
    case ThresholdMethod::false_alarm_rate:
      return metric::quantile_of(scores, 1.0 - options.false_alarm_rate);
    case ThresholdMethod::sigma:
      break;
  }
  const auto spread = robust_spread(scores);
  return spread.median + options.sigma * spread.deviation;
}

}  // namespace hyperdefect::model
