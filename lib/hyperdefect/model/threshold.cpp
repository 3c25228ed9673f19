// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/threshold.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

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
      return metric::conformal_quantile(scores, options.pixel_rate).value;
    case ThresholdMethod::false_discovery_rate:
      return -std::log10(options.false_discovery_rate);
    case ThresholdMethod::sigma:
      break;
  }
  const auto spread = robust_spread(scores);
  return spread.median + options.sigma * spread.deviation;
}

double min_evidence_from(const ThresholdOptions& options, double threshold) {
  return options.min_evidence < 0 ? std::max(0.0, threshold) : options.min_evidence;
}

double false_discovery_threshold(const torch::Tensor& decades, double rate) {
  const auto all = decades.flatten().to(torch::kCPU, torch::kDouble);
  const auto falling = std::get<0>(all.masked_select(all.isfinite()).sort(-1, true));
  const auto count = static_cast<double>(falling.numel());
  // The k-th smallest probability is compared with rate k / count.
  const auto ranks = torch::arange(1, falling.numel() + 1, torch::kDouble);
  const auto passes = falling.ge(-(ranks * (rate / count)).log10()).nonzero();
  if (passes.numel() == 0) {
    return -std::log10(rate / std::max(1.0, count));
  }
  // Pixels above the threshold are marked: that one too. Scores are float32.
  const auto last = falling[passes.max().item<std::int64_t>()].item<float>();
  return std::nextafter(last, -std::numeric_limits<float>::infinity());
}

}  // namespace hyperdefect::model
