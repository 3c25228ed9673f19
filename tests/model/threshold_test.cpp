// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/threshold.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::model {
namespace {

TEST(MinEvidence, IsTheThresholdItselfIfAskedFor) {
  ThresholdOptions options;
  EXPECT_EQ(min_evidence_from(options, 20), 0);
  options.min_evidence = 3;
  EXPECT_EQ(min_evidence_from(options, 20), 3);
  options.min_evidence = -1;
  EXPECT_EQ(min_evidence_from(options, 20), 20);
  EXPECT_EQ(min_evidence_from(options, -2), 0) << "evidence is never below 0";
}

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

TEST(Threshold, FalseAlarmRateIsTheConformalQuantile) {
  auto options = options_of(ThresholdMethod::false_alarm_rate);
  options.pixel_rate = 0.01;
  const auto scores = torch::arange(999, torch::kFloat);
  // 990 of 1000 equally likely places of a further score lie at or below the 990th score.
  EXPECT_DOUBLE_EQ(threshold_from(scores, options), 989);
}

/// As scipy.stats.false_discovery_control decides on these probabilities.
TEST(Threshold, FalseDiscoveriesAreThoseOfBenjaminiAndHochberg) {
  const auto probabilities =
      torch::tensor({0.001, 0.008, 0.039, 0.041, 0.042, 0.06,  0.074, 0.205, 0.212, 0.216,
                     0.222, 0.251, 0.269, 0.275, 0.34,  0.341, 0.384, 0.569, 0.594, 0.696});
  const auto decades = -probabilities.log10();
  const auto marked = [&](double rate) {
    return decades.gt(false_discovery_threshold(decades, rate)).sum().item<std::int64_t>();
  };
  EXPECT_EQ(marked(0.05), 1);
  EXPECT_EQ(marked(0.1), 2);
  EXPECT_EQ(marked(0.19), 5);
  EXPECT_EQ(marked(0.25), 7);
  EXPECT_EQ(marked(0.01), 0);
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
