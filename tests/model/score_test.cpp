// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

ScoreOptions weights(double residual, double sad, double mahalanobis, double rx) {
  ScoreOptions options;
  options.residual_weight = residual;
  options.sad_weight = sad;
  options.mahalanobis_weight = mahalanobis;
  options.rx_weight = rx;
  options.smoothing_px = 0.0;
  return options;
}

ScoreParts random_parts(std::uint64_t seed) {
  auto generator = test::seeded(seed);
  return {3 * torch::rand({2, 20, 30}, generator, torch::kFloat),
          torch::randn({4, 20, 30}, generator, torch::kFloat),
          0.1 * torch::rand({20, 30}, generator, torch::kFloat),
          50 * torch::rand({20, 30}, generator, torch::kFloat)};
}

const torch::Tensor kAllValid = torch::ones({20, 30}, torch::kBool);

TEST(Score, MeanOverTheTrainingDataIsTheSumOfTheWeights) {
  Score score(weights(1.0, 0.5, 0.25, 2.0), 2, 4);
  const auto first = random_parts(1);
  const auto second = random_parts(2);
  score->observe(first, kAllValid);
  score->observe(second, kAllValid);
  score->finish();
  const auto sum = score->forward(first, kAllValid) + score->forward(second, kAllValid);
  EXPECT_NEAR(sum.mean().item<double>() / 2, 3.75, 1e-4);
}

TEST(Score, TakesTheLargestOfTheHoleSizes) {
  Score score(weights(1.0, 0.0, 0.0, 0.0), 2, 1);
  const ScoreParts parts{
      torch::tensor({{{1.0F, 5.0F}}, {{3.0F, 2.0F}}}), torch::zeros({1, 1, 2}), torch::zeros({1, 2}), {}};
  const auto valid = torch::ones({1, 2}, torch::kBool);
  test::expect_close(score->forward(parts, valid), torch::tensor({{3.0F, 5.0F}}));
  score->observe(parts, valid);
  score->finish();
  // The means of the sizes are 3 and 2.5: [1/3, 5/3] and [1.2, 0.8]; the mean of the largest is 43/30.
  test::expect_close(score->forward(parts, valid), torch::tensor({{36.0 / 43, 50.0 / 43}}), 1e-6);
}

TEST(Score, PartsWithoutWeightAreLeftOut) {
  const auto nothing = torch::full({1, 2}, kNan);
  const auto valid = torch::ones({1, 2}, torch::kBool);
  const auto map = torch::tensor({{2.0F, 4.0F}});
  test::expect_close(
      Score(weights(2, 0, 0, 0), 1, 1)->forward({map.unsqueeze(0), nothing.unsqueeze(0), nothing, {}}, valid),
      2 * map);
  test::expect_close(
      Score(weights(0, 3, 0, 0), 1, 1)->forward({nothing.unsqueeze(0), nothing.unsqueeze(0), map, {}}, valid),
      3 * map);
  test::expect_close(Score(weights(0, 0, 1, 0), 1, 1)
                         ->forward({nothing.unsqueeze(0), -map.unsqueeze(0), nothing, {}}, valid),
                     map);
  test::expect_close(Score(weights(0, 0, 0, 0.5), 1, 1)
                         ->forward({nothing.unsqueeze(0), nothing.unsqueeze(0), nothing, map}, valid),
                     0.5 * map);
}

TEST(Score, MahalanobisOfAKnownCovariance) {
  Score score(weights(0, 0, 1, 0), 1, 2);
  // About the mean (5, 1): covariance diag(2, 0.5) over four pixels, and a ridge of 0.01 of the mean
  // variance 1.25.
  const auto first = torch::tensor({{7.0F, 3.0F, 5.0F, 5.0F}});
  const auto second = torch::tensor({{1.0F, 1.0F, 2.0F, 0.0F}});
  const ScoreParts parts{torch::zeros({1, 1, 4}), torch::stack({first, second}), torch::zeros({1, 4}), {}};
  const auto valid = torch::ones({1, 4}, torch::kBool);
  score->observe(parts, valid);
  score->finish();
  const double a = 2.0 / std::sqrt(2.0125);
  const double b = 1.0 / std::sqrt(0.5125);
  test::expect_close(score->forward(parts, valid), torch::tensor({{a, a, b, b}}) * 2 / (a + b), 1e-5);
}

TEST(Score, LearnsFromValidPixelsOnly) {
  auto parts = random_parts(3);
  auto valid = kAllValid.clone();
  valid.slice(0, 10).fill_(false);
  auto spoiled = parts;
  spoiled.residual = torch::where(valid, parts.residual, 1e9F);
  spoiled.difference = torch::where(valid, parts.difference, kNan);
  spoiled.rx = torch::where(valid, parts.rx, kNan);
  Score score(weights(1, 1, 1, 1), 2, 4);
  score->observe(spoiled, valid);
  score->finish();
  EXPECT_NEAR(score->forward(parts, valid).slice(0, 0, 10).mean().item<double>(), 4.0, 1e-4);
}

TEST(Score, PartThatIsZeroEverywhereStaysZero) {
  Score score(weights(1, 1, 1, 0), 1, 2);
  const ScoreParts parts{torch::zeros({1, 3, 3}), torch::zeros({2, 3, 3}), torch::zeros({3, 3}), {}};
  const auto valid = torch::ones({3, 3}, torch::kBool);
  score->observe(parts, valid);
  score->finish();
  test::expect_close(score->forward(parts, valid), torch::zeros({3, 3}));
}

TEST(Score, MissingAngleCountsAsNone) {
  Score score(weights(1, 1, 0, 0), 1, 1);
  const ScoreParts parts{torch::ones({1, 1, 2}), torch::zeros({1, 1, 2}), torch::tensor({{kNan, 0.5F}}), {}};
  test::expect_close(score->forward(parts, torch::ones({1, 2}, torch::kBool)), torch::tensor({{1.0F, 1.5F}}));
}

TEST(Score, InvalidPixelsDoNotReachTheirNeighbours) {
  auto options = weights(1, 0, 0, 0);
  options.smoothing_px = 1.0;
  Score score(options, 1, 1);
  auto valid = torch::ones({9, 9}, torch::kBool);
  valid[4][4] = false;
  ScoreParts parts{torch::ones({1, 9, 9}), torch::zeros({1, 9, 9}), torch::zeros({9, 9}), {}};
  parts.residual[0][4][4] = 1e6;
  const auto got = score->forward(parts, valid).masked_select(valid);
  test::expect_close(got, torch::ones_like(got), 1e-5);
}

TEST(Score, HaloIsWhereTheKernelEnds) {
  auto options = weights(1, 0, 0, 0);
  EXPECT_EQ(Score(options, 1, 1)->halo(), 0);
  options.smoothing_px = 1.5;
  Score score(options, 1, 1);
  ASSERT_EQ(score->halo(), 6);
  ScoreParts parts{torch::zeros({1, 21, 21}), torch::zeros({1, 21, 21}), torch::zeros({21, 21}), {}};
  parts.residual[0][10][10] = 1.0;
  const auto reached = score->forward(parts, torch::ones({21, 21}, torch::kBool)).gt(0);
  EXPECT_TRUE(reached[10][4].item<bool>());
  EXPECT_FALSE(reached[10][3].item<bool>());
}

}  // namespace
}  // namespace hyperdefect::model
