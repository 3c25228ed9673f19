// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/threshold.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::model {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

ThresholdOptions options_of(ThresholdMethod method) {
  ThresholdOptions options;
  options.method = method;
  return options;
}

TEST(Threshold, QuantileLeavesNanOut) {
  auto options = options_of(ThresholdMethod::quantile);
  options.quantile = 0.75;
  EXPECT_DOUBLE_EQ(threshold_from(torch::tensor({kNan, 1.0F, 2.0F, kNan, 3.0F, 4.0F, 5.0F}), options), 4.0);
}

TEST(Threshold, FalseAlarmRateIsTheUpperQuantile) {
  auto options = options_of(ThresholdMethod::false_alarm_rate);
  options.false_alarm_rate = 0.01;
  const auto scores = torch::arange(1001, torch::kFloat);
  const double threshold = threshold_from(scores, options);
  EXPECT_NEAR(threshold, 990.0, 1e-9);
  EXPECT_EQ(scores.gt(threshold + 1e-9).sum().item<std::int64_t>(), 10);
}

TEST(Threshold, SigmaIsRobust) {
  auto options = options_of(ThresholdMethod::sigma);
  options.sigma = 2.0;
  // Median 3, absolute deviations 2, 1, 0, 1, 1000 with median 1.
  EXPECT_NEAR(threshold_from(torch::tensor({1.0F, 2.0F, 3.0F, 4.0F, 1003.0F, kNan}), options), 3 + 2 * 1.4826,
              1e-6);
}

TEST(Threshold, ManualNeedsNoScores) {
  auto options = options_of(ThresholdMethod::manual);
  options.value = 0.25;
  EXPECT_DOUBLE_EQ(threshold_from(torch::empty({0}), options), 0.25);
}

TEST(Threshold, SaysThatThereIsNoScore) {
  for (const auto method :
       {ThresholdMethod::quantile, ThresholdMethod::false_alarm_rate, ThresholdMethod::sigma}) {
    HYPERDEFECT_EXPECT_ERROR(threshold_from(torch::tensor({kNan, kNan}), options_of(method)), InputError,
                             "no valid score: every pixel is invalid");
  }
}

}  // namespace
}  // namespace hyperdefect::model
