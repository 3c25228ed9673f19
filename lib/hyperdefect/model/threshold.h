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
/// `false_alarm_rate` takes the conformal quantile of options.pixel_rate: the caller hands in the scores of
/// held-out normal pixels. `false_discovery_rate` gives the lowest threshold that any cube can get.
///
///     ThresholdOptions options;
///     options.method = ThresholdMethod::sigma;
///     options.sigma = 6;
///     const double threshold = threshold_from(scores, options);
///
/// @throws InputError if there is no score to set it from.
double threshold_from(const torch::Tensor& scores, const ThresholdOptions& options);

/// The evidence that options.min_evidence asks of a defect if the threshold is this: at least 0.
double min_evidence_from(const ThresholdOptions& options, double threshold);

/// The threshold for one cube above which at most the part `rate` of the marked pixels is expected to be
/// normal (Benjamini and Hochberg, "Controlling the false discovery rate", 1995).
/// @param decades -log10 of the false-alarm probability of its pixels, any shape; NaN is left out.
/// @return the level that the first pixel would need, if none reaches it.
double false_discovery_threshold(const torch::Tensor& decades, double rate);

}  // namespace hyperdefect::model
