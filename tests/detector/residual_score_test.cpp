// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/autoencoder/residual_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
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

const torch::Tensor kAllValid = test::all_valid({20, 30});

/// Gathers the parts of the valid pixels of a training cube.
void accumulate(ResidualScore& score, const ScoreParts& parts, const torch::Tensor& valid,
                std::int64_t cube = 0) {
  static const preprocess::Preprocess kOneBand(preprocess::PreprocessOptions{}, test::regular_bands(1), 1);
  auto block = test::whole_block(torch::zeros({1, valid.size(0), valid.size(1)}));
  block.valid = valid;
  block.cube = cube;
  score->accumulate(parts, preprocess::Preprocessed(*kOneBand, block));
}

TEST(ResidualScore, MeanOverTheTrainingDataIsTheSumOfTheWeights) {
  ResidualScore score(weights(1.0, 0.5, 0.25, 2.0), 2, 4);
  const auto first = random_parts(1);
  const auto second = random_parts(2);
  accumulate(score, first, kAllValid);
  accumulate(score, second, kAllValid, 1);
  score->finalise();
  const auto sum = score->forward(first, kAllValid) + score->forward(second, kAllValid);
  EXPECT_NEAR(sum.mean().item<double>() / 2, 3.75, 1e-4);
}

TEST(ResidualScore, TakesTheLargestOfTheMaskSizes) {
  ResidualScore score(weights(1.0, 0.0, 0.0, 0.0), 2, 1);
  const ScoreParts parts{
      torch::tensor({{{1.0F, 5.0F}}, {{3.0F, 2.0F}}}), torch::zeros({1, 1, 2}), torch::zeros({1, 2}), {}};
  const auto valid = test::all_valid({1, 2});
  test::expect_close(score->forward(parts, valid), torch::tensor({{3.0F, 5.0F}}));
  accumulate(score, parts, valid);
  score->finalise();
  // The means of the sizes are 3 and 2.5: [1/3, 5/3] and [1.2, 0.8]; the mean of the largest is 43/30.
  test::expect_close(score->forward(parts, valid), torch::tensor({{36.0 / 43, 50.0 / 43}}), 1e-6);
}

TEST(ResidualScore, PartsWithoutWeightAreLeftOut) {
  const auto nothing = torch::full({1, 2}, kNan);
  const auto valid = test::all_valid({1, 2});
  const auto map = torch::tensor({{2.0F, 4.0F}});
  test::expect_close(ResidualScore(weights(2, 0, 0, 0), 1, 1)
                         ->forward({map.unsqueeze(0), nothing.unsqueeze(0), nothing, {}}, valid),
                     2 * map);
  test::expect_close(ResidualScore(weights(0, 3, 0, 0), 1, 1)
                         ->forward({nothing.unsqueeze(0), nothing.unsqueeze(0), map, {}}, valid),
                     3 * map);
  test::expect_close(ResidualScore(weights(0, 0, 1, 0), 1, 1)
                         ->forward({nothing.unsqueeze(0), -map.unsqueeze(0), nothing, {}}, valid),
                     map);
  test::expect_close(ResidualScore(weights(0, 0, 0, 0.5), 1, 1)
                         ->forward({nothing.unsqueeze(0), nothing.unsqueeze(0), nothing, map}, valid),
                     0.5 * map);
}

TEST(ResidualScore, MahalanobisOfAKnownCovariance) {
  ResidualScore score(weights(0, 0, 1, 0), 1, 2);
  // About the mean (5, 1): covariance diag(2, 0.5) over four pixels, and a ridge of 0.01 of the mean
  // variance 1.25.
  const auto first = torch::tensor({{7.0F, 3.0F, 5.0F, 5.0F}});
  const auto second = torch::tensor({{1.0F, 1.0F, 2.0F, 0.0F}});
  const ScoreParts parts{torch::zeros({1, 1, 4}), torch::stack({first, second}), torch::zeros({1, 4}), {}};
  const auto valid = test::all_valid({1, 4});
  accumulate(score, parts, valid);
  score->finalise();
  const double a = 2.0 / std::sqrt(2.0125);
  const double b = 1.0 / std::sqrt(0.5125);
  test::expect_close(score->forward(parts, valid), torch::tensor({{a, a, b, b}}) * 2 / (a + b), 1e-5);
}

TEST(ResidualScore, LearnsFromValidPixelsOnly) {
  auto parts = random_parts(3);
  auto valid = kAllValid.clone();
  valid.slice(0, 10).fill_(false);
  auto spoiled = parts;
  spoiled.residual = torch::where(valid, parts.residual, 1e9F);
  spoiled.difference = torch::where(valid, parts.difference, kNan);
  spoiled.rx = torch::where(valid, parts.rx, kNan);
  ResidualScore score(weights(1, 1, 1, 1), 2, 4);
  accumulate(score, spoiled, valid);
  score->finalise();
  EXPECT_NEAR(score->forward(parts, valid).slice(0, 0, 10).mean().item<double>(), 4.0, 1e-4);
}

TEST(ResidualScore, PartThatIsZeroEverywhereStaysZero) {
  ResidualScore score(weights(1, 1, 1, 0), 1, 2);
  const ScoreParts parts{torch::zeros({1, 3, 3}), torch::zeros({2, 3, 3}), torch::zeros({3, 3}), {}};
  const auto valid = test::all_valid({3, 3});
  accumulate(score, parts, valid);
  score->finalise();
  test::expect_close(score->forward(parts, valid), torch::zeros({3, 3}));
}

TEST(ResidualScore, MissingAngleCountsAsNone) {
  ResidualScore score(weights(1, 1, 0, 0), 1, 1);
  const ScoreParts parts{torch::ones({1, 1, 2}), torch::zeros({1, 1, 2}), torch::tensor({{kNan, 0.5F}}), {}};
  test::expect_close(score->forward(parts, test::all_valid({1, 2})), torch::tensor({{1.0F, 1.5F}}));
}

TEST(ResidualScore, InvalidPixelsDoNotReachTheirNeighbours) {
  auto options = weights(1, 0, 0, 0);
  options.smoothing_px = 1.0;
  ResidualScore score(options, 1, 1);
  auto valid = test::all_valid({9, 9});
  valid[4][4] = false;
  ScoreParts parts{torch::ones({1, 9, 9}), torch::zeros({1, 9, 9}), torch::zeros({9, 9}), {}};
  parts.residual[0][4][4] = 1e6;
  const auto got = score->forward(parts, valid).masked_select(valid);
  test::expect_close(got, torch::ones_like(got), 1e-5);
}

TEST(ResidualScore, HaloIsWhereTheKernelEnds) {
  auto options = weights(1, 0, 0, 0);
  EXPECT_EQ(ResidualScore(options, 1, 1)->halo(), 0);
  options.smoothing_px = 1.5;
  ResidualScore score(options, 1, 1);
  ASSERT_EQ(score->halo(), 6);
  ScoreParts parts{torch::zeros({1, 21, 21}), torch::zeros({1, 21, 21}), torch::zeros({21, 21}), {}};
  parts.residual[0][10][10] = 1.0;
  const auto reached = score->forward(parts, test::all_valid({21, 21})).gt(0);
  EXPECT_TRUE(reached[10][4].item<bool>());
  EXPECT_FALSE(reached[10][3].item<bool>());
}

}  // namespace
}  // namespace hyperdefect::detector
