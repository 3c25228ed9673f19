// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/score_calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::model {
namespace {

/// (n): evenly spread over the distribution, as the quantiles at (i + .5) / n of the unit interval.
torch::Tensor probabilities(std::int64_t count) {
  return (torch::arange(count, torch::kDouble) + 0.5) / static_cast<double>(count);
}

double at(double score, const ScoreCalibration& calibration) {
  return calibrated(torch::tensor({score}, torch::kDouble), calibration).item<double>();
}

TEST(FalseAlarmCalibration, IsTheConformalPValueAtEachScore) {
  const auto scores = torch::tensor({5.0, 1.0, 3.0, 3.0}, torch::kDouble);
  const auto calibration = false_alarm_calibration(scores);
  EXPECT_EQ(calibration.count, 4);
  EXPECT_NEAR(at(1.0, calibration), -std::log10(5.0 / 5), 1e-6);
  EXPECT_NEAR(at(3.0, calibration), -std::log10(4.0 / 5), 1e-6);
  EXPECT_NEAR(at(5.0, calibration), -std::log10(2.0 / 5), 1e-6);
  EXPECT_NEAR(at(4.0, calibration), (at(3.0, calibration) + at(5.0, calibration)) / 2, 1e-6);
  EXPECT_NEAR(supported_decades(calibration), std::log10(5.0), 1e-12);
}

/// (1 + how many of the sorted scores are at least x) / (n + 1).
double conformal_p(const torch::Tensor& scores, double x) {
  return (1 + scores.ge(x).sum().item<double>()) / static_cast<double>(scores.numel() + 1);
}

/// But for the rounding of a line between two knots.
TEST(FalseAlarmCalibration, PromisesNoMoreThanTheConformalPValue) {
  torch::manual_seed(2);
  for (const std::int64_t count : {1, 7, 200, 5000, 100000}) {
    const auto scores = torch::randn({count}, torch::kDouble).exp();
    const auto calibration = false_alarm_calibration(scores);
    for (const auto& asked : {torch::randn({300}, torch::kDouble).exp(), scores.slice(0, 0, 300)}) {
      const auto highest = scores.max().item<double>();
      const auto decades = calibrated(asked, calibration);
      for (std::int64_t i = 0; i < asked.numel(); ++i) {
        if (const double x = asked[i].item<double>(); x <= highest) {
          EXPECT_GE(std::pow(10.0, -decades[i].item<double>()), conformal_p(scores, x) * 0.988) << x;
        }
      }
    }
  }
}

TEST(FalseAlarmCalibration, HasKnotsThatAreDenseEnough) {
  const auto scores = -(1 - probabilities(100000)).log() * 3 + 7;
  const auto calibration = false_alarm_calibration(scores);
  EXPECT_LT(calibration.scores.size(), 1500U);
  for (const double decades : {0.5, 1.0, 2.0, 3.0, 4.0}) {
    EXPECT_NEAR(at(7 + 3 * decades * std::log(10.0), calibration), decades, 0.02 * decades);
  }
}

TEST(FalseAlarmCalibration, TailsAreFollowedBeyondTheHighestScore) {
  // Exponential, and a Pareto distribution of index 2: the part x^-2 exceeds x.
  const auto exponential = false_alarm_calibration(-(1 - probabilities(100000)).log());
  EXPECT_NEAR(at(8 * std::log(10.0), exponential), 8, 0.8);
  const auto heavy = false_alarm_calibration((1 - probabilities(100000)).pow(-0.5));
  EXPECT_NEAR(heavy.shape, 0.5, 0.15);
  EXPECT_NEAR(at(std::pow(10.0, 8.0 / 2), heavy), 8, 1.2);
}

TEST(FalseAlarmCalibration, UnitsOfTheScoreDoNotMatter) {
  const auto scores = torch::rand({1000}, torch::kDouble).pow(3);
  const auto wanted = calibrated(scores * 1.5, false_alarm_calibration(scores));
  const auto other = scores * 1e4 - 20;
  EXPECT_LT(
      (calibrated(scores * 1.5e4 - 20, false_alarm_calibration(other)) - wanted).abs().max().item<double>(),
      1e-3);
}

TEST(FalseAlarmCalibration, KeepsTheOrderOfAllScores) {
  const auto training = torch::randn({1000}, torch::kDouble).exp();
  const auto rising = torch::linspace(-5, 500, 2000, torch::kDouble);
  const auto t = calibrated(rising, false_alarm_calibration(training));
  EXPECT_TRUE((t.slice(0, 1) > t.slice(0, 0, -1)).all().item<bool>());
}

TEST(FalseAlarmCalibration, ScoresThatDoNotVaryStillHaveAnOrder) {
  for (const auto& training : {torch::full({5}, 2.0), torch::tensor({2.0})}) {
    const auto calibration = false_alarm_calibration(training);
    EXPECT_NEAR(at(2.0, calibration), 0.0, 1e-6);
    EXPECT_NEAR(at(1.0, calibration), -1.0, 1e-6);
    EXPECT_NEAR(at(1e6, calibration), 1e6 - 2, 1);
  }
}

TEST(FalseAlarmCalibration, LeavesWhatIsNotValid) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto calibration = false_alarm_calibration(torch::tensor({1.0, nan, 2.0, 3.0}, torch::kDouble));
  EXPECT_EQ(calibration.count, 3);
  EXPECT_TRUE(std::isnan(at(nan, calibration)));
  HYPERDEFECT_EXPECT_ERROR(false_alarm_calibration(torch::tensor({nan})), InputError, "no valid score");
}

TEST(ScoreCalibration, RobustScoresAreStandardDeviationsOfMostPixels) {
  torch::manual_seed(1);
  auto scores = 7 + 3 * torch::randn({100000}, torch::kDouble);
  scores.slice(0, 0, 2000).fill_(1e6);
  const auto calibration = mad_calibration(scores);
  EXPECT_NEAR(at(7, calibration), 0, 0.1);
  EXPECT_NEAR(at(7 + 3 * 5, calibration), 5, 0.2);
}

TEST(ScoreCalibration, RobustScoresHaveNoUnit) {
  const auto scores = torch::rand({1000}, torch::kDouble).pow(3);
  const auto other = scores * 1e4 - 20;
  EXPECT_TRUE(torch::allclose(calibrated(other, mad_calibration(other)),
                              calibrated(scores, mad_calibration(scores)), 1e-4, 1e-4));
}

TEST(ScoreCalibration, RobustScoresOfAlikePixelsStillHaveAScale) {
  // Half of the scores and more are alike: their mean distance, 2, stands in.
  const auto few = torch::tensor({1.0, 1.0, 1.0, 1.0, 11.0});
  EXPECT_NEAR(at(1 + 2 * 1.2533, mad_calibration(few)), 1, 1e-6);
  const auto alike = mad_calibration(torch::full({5}, 2.0));
  EXPECT_EQ(at(3.0, alike), 1.0);
  EXPECT_EQ(at(2.0, alike), 0.0);
}

TEST(ScoreCalibration, RobustScoresLeaveWhatIsNotValid) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto calibration = mad_calibration(torch::tensor({1.0, nan, 2.0, 3.0}, torch::kDouble));
  EXPECT_TRUE(std::isnan(at(nan, calibration)));
  EXPECT_EQ(at(2.0, calibration), 0.0);
  HYPERDEFECT_EXPECT_ERROR(mad_calibration(torch::tensor({nan})), InputError, "no valid score");
}

}  // namespace
}  // namespace hyperdefect::model
