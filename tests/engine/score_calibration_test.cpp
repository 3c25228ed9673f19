// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/score_calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::engine {
namespace {

/// (n): evenly spread over the distribution, as the quantiles at (i + .5) / n of the unit interval.
torch::Tensor probabilities(std::int64_t count) {
  return (torch::arange(count, torch::kDouble) + 0.5) / static_cast<double>(count);
}

double at(double score, const ScoreCalibration& calibration) {
  return calibrated(torch::tensor({score}, torch::kDouble), calibration).item<double>();
}

TEST(ScoreCalibration, ExponentialScoresAreTheirOwnRarity) {
  const auto scores = -(1 - probabilities(100000)).log() * 3 + 7;
  const auto calibration = calibration_from(scores);
  for (const double decades : {1.0, 2.0, 4.0, 6.0}) {
    EXPECT_NEAR(at(7 + 3 * decades * std::log(10.0), calibration), decades, 0.02 * decades);
  }
}

TEST(ScoreCalibration, HeavyTailsAreFollowedBeyondTheTrainingScores) {
  // Of a Pareto distribution of index 2 the part x^-2 exceeds x.
  const auto scores = (1 - probabilities(100000)).pow(-0.5);
  const auto calibration = calibration_from(scores);
  EXPECT_NEAR(calibration.shape, 0.5, 0.02);
  for (const double decades : {1.0, 2.0, 4.0, 8.0}) {
    EXPECT_NEAR(at(std::pow(10.0, decades / 2), calibration), decades, 0.04 * decades);
  }
}

TEST(ScoreCalibration, DefectsInTheTrainingDataDoNotHideThemselves) {
  auto scores = -(1 - probabilities(10000)).log();
  const auto clean = at(9.0, calibration_from(scores));
  scores.slice(0, 0, 100).fill_(50.0);
  EXPECT_NEAR(at(9.0, calibration_from(scores)), clean, 1.0);
  EXPECT_GT(at(50.0, calibration_from(scores)), 8.0);
}

TEST(ScoreCalibration, UnitsOfTheScoreDoNotMatter) {
  const auto scores = torch::rand({1000}, torch::kDouble).pow(3);
  const auto wanted = calibrated(scores, calibration_from(scores));
  const auto other = scores * 1e4 - 20;
  EXPECT_LT((calibrated(other, calibration_from(other)) - wanted).abs().max().item<double>(), 1e-4);
}

TEST(ScoreCalibration, KeepsTheOrderOfAllScores) {
  const auto training = torch::randn({1000}, torch::kDouble).exp();
  const auto rising = torch::linspace(-5, 500, 2000, torch::kDouble);
  const auto t = calibrated(rising, calibration_from(training));
  EXPECT_TRUE((t.slice(0, 1) > t.slice(0, 0, -1)).all().item<bool>());
}

TEST(ScoreCalibration, ScoresThatDoNotVaryStillHaveAnOrder) {
  for (const auto& training : {torch::full({5}, 2.0), torch::tensor({2.0})}) {
    const auto calibration = calibration_from(training);
    EXPECT_LT(at(1.0, calibration), at(2.0, calibration));
    EXPECT_LT(at(2.0, calibration), at(3.0, calibration));
    EXPECT_LT(at(3.0, calibration), at(4.0, calibration));
    EXPECT_TRUE(std::isfinite(at(1e6, calibration)));
  }
}

TEST(ScoreCalibration, LeavesWhatIsNotValid) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto calibration = calibration_from(torch::tensor({1.0, nan, 2.0, 3.0}, torch::kDouble));
  EXPECT_TRUE(std::isnan(at(nan, calibration)));
  HYPERDEFECT_EXPECT_ERROR(calibration_from(torch::tensor({nan})), InputError, "no valid score");
}

}  // namespace
}  // namespace hyperdefect::engine
