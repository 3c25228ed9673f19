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

TEST(ScoreCalibration, ExponentialScoresAreTheirOwnRarity) {
  const auto scores = -(1 - probabilities(100000)).log() * 3 + 7;
  const auto calibration = pareto_tail_calibration(scores);
  for (const double decades : {1.0, 2.0, 4.0, 6.0}) {
    EXPECT_NEAR(at(7 + 3 * decades * std::log(10.0), calibration), decades, 0.02 * decades);
  }
}

TEST(ScoreCalibration, HeavyTailsAreFollowedBeyondTheTrainingScores) {
  // Of a Pareto distribution of index 2 the part x^-2 exceeds x.
  const auto scores = (1 - probabilities(100000)).pow(-0.5);
  const auto calibration = pareto_tail_calibration(scores);
  EXPECT_NEAR(calibration.shape, 0.5, 0.02);
  for (const double decades : {1.0, 2.0, 4.0, 8.0}) {
    EXPECT_NEAR(at(std::pow(10.0, decades / 2), calibration), decades, 0.04 * decades);
  }
}

TEST(ScoreCalibration, DefectsInTheTrainingDataDoNotHideThemselves) {
  auto scores = -(1 - probabilities(10000)).log();
  const auto clean = at(9.0, pareto_tail_calibration(scores));
  scores.slice(0, 0, 100).fill_(50.0);
  EXPECT_NEAR(at(9.0, pareto_tail_calibration(scores)), clean, 1.0);
  EXPECT_GT(at(50.0, pareto_tail_calibration(scores)), 8.0);
}

TEST(ScoreCalibration, UnitsOfTheScoreDoNotMatter) {
  const auto scores = torch::rand({1000}, torch::kDouble).pow(3);
  const auto wanted = calibrated(scores, pareto_tail_calibration(scores));
  const auto other = scores * 1e4 - 20;
  EXPECT_LT((calibrated(other, pareto_tail_calibration(other)) - wanted).abs().max().item<double>(), 1e-4);
}

TEST(ScoreCalibration, KeepsTheOrderOfAllScores) {
  const auto training = torch::randn({1000}, torch::kDouble).exp();
  const auto rising = torch::linspace(-5, 500, 2000, torch::kDouble);
  const auto t = calibrated(rising, pareto_tail_calibration(training));
  EXPECT_TRUE((t.slice(0, 1) > t.slice(0, 0, -1)).all().item<bool>());
}

TEST(ScoreCalibration, ScoresThatDoNotVaryStillHaveAnOrder) {
  for (const auto& training : {torch::full({5}, 2.0), torch::tensor({2.0})}) {
    const auto calibration = pareto_tail_calibration(training);
    EXPECT_LT(at(1.0, calibration), at(2.0, calibration));
    EXPECT_LT(at(2.0, calibration), at(3.0, calibration));
    EXPECT_LT(at(3.0, calibration), at(4.0, calibration));
    // The tail begins one unit above the median, where 3 in 10 scores are higher, and is exponential.
    const double rarity = -std::log10(0.3) + (1e6 - 3) / std::log(10.0);
    EXPECT_NEAR(at(1e6, calibration), rarity, 1e-6 * rarity);
  }
}

TEST(ScoreCalibration, LeavesWhatIsNotValid) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto calibration = pareto_tail_calibration(torch::tensor({1.0, nan, 2.0, 3.0}, torch::kDouble));
  EXPECT_TRUE(std::isnan(at(nan, calibration)));
  HYPERDEFECT_EXPECT_ERROR(pareto_tail_calibration(torch::tensor({nan})), InputError, "no valid score");
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
