// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/model/run_config.h"

namespace hyperdefect::model {

/// Median and 1.4826 times the median absolute deviation of scores of any shape, NaN left out: for a normal
/// distribution its standard deviation. If more than half of the scores are alike, 1.2533 times their mean
/// distance from the median stands in for it.
struct RobustSpread {
  double median;
  double deviation;
};
/// @throws InputError if there is no score.
RobustSpread robust_spread(const torch::Tensor& scores);

/// The threshold that options.method sets from scores (n) of pixels; NaN scores are left out.
/// `false_alarm_rate` takes the quantile 1 - false_alarm_rate: the caller hands in the scores of held-out
/// normal pixels.
///
///     ThresholdOptions options;
///     options.method = ThresholdMethod::sigma;
///     options.sigma = 6;
///     const double threshold = threshold_from(scores, options);
///
/// @throws InputError if there is no score to set it from.
double threshold_from(const torch::Tensor& scores, const ThresholdOptions& options);

}  // namespace hyperdefect::model
