// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/normal_mixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::spectral {
namespace {

/// 3000 samples about (0, 0), then 1000 about (8, 4) that vary half as much.
torch::Tensor two_clouds() {
  torch::manual_seed(5);
  const auto centre = torch::tensor({8.0, 4.0}, torch::kDouble);
  return torch::cat(
      {torch::randn({3000, 2}, torch::kDouble), centre + 0.5 * torch::randn({1000, 2}, torch::kDouble)});
}

TEST(FitNormalMixture, FindsTwoClouds) {
  const auto mixture = fit_normal_mixture(two_clouds(), {2, 1e-6, 60});
  EXPECT_NEAR(mixture.weights[0].item<double>(), 0.75, 0.01);
  EXPECT_NEAR(mixture.weights.sum().item<double>(), 1.0, 1e-12);
  EXPECT_LT((mixture.means - torch::tensor({{0.0, 0.0}, {8.0, 4.0}})).abs().max().item<double>(), 0.1);
  EXPECT_NEAR(mixture.covariances[0][0][0].item<double>(), 1.0, 0.1);
  EXPECT_NEAR(mixture.covariances[1][1][1].item<double>(), 0.25, 0.05);
}

TEST(FitNormalMixture, WithOnePartIsTheMeanAndTheCovariance) {
  const auto samples = torch::tensor({{1.0, 0.0}, {3.0, 0.0}, {2.0, 3.0}, {2.0, 1.0}}, torch::kDouble);
  const auto mixture = fit_normal_mixture(samples, {1, 0.5, 60});
  EXPECT_TRUE(torch::allclose(mixture.means, torch::tensor({{2.0, 1.0}}, torch::kDouble)));
  EXPECT_TRUE(torch::allclose(mixture.covariances, torch::tensor({{{1.0, 0.0}, {0.0, 2.0}}}, torch::kDouble),
                              1e-9, 1e-9));
}

TEST(FitNormalMixture, DoesNotDependOnTheOrderOfTheSamples) {
  const auto samples = two_clouds();
  const auto mixture = fit_normal_mixture(samples, {3, 0.1, 20});
  const auto turned = fit_normal_mixture(samples.flip(0), {3, 0.1, 20});
  EXPECT_TRUE(torch::allclose(turned.covariances, mixture.covariances, 1e-6, 1e-6));
}

TEST(FitNormalMixture, ManagesFewerSamplesThanParts) {
  const auto mixture = fit_normal_mixture(torch::ones({1, 2}), {3, 0.3, 10});
  EXPECT_NEAR(mixture.weights.max().item<double>(), 1.0, 1e-12);
  // One normal distribution about the sample, as wide as the ridge.
  const double wanted = -std::log(2 * std::numbers::pi * 0.3) - (1.0 + 1.0) / 0.3 / 2;
  EXPECT_NEAR(log_densities(mixture, torch::zeros({1, 2})).logsumexp(0).item<double>(), wanted, 1e-9);
}

TEST(FitNormalMixture, RefusesWrongArguments) {
  HYPERDEFECT_EXPECT_ERROR(fit_normal_mixture(torch::ones({0, 2}), {}), InputError,
                           "too few valid pixels for a mixture of normal distributions: 0");
  EXPECT_THROW(fit_normal_mixture(torch::ones({4}), {}), c10::Error);
  EXPECT_THROW(fit_normal_mixture(torch::ones({4, 2}), {0, 0.3, 1}), c10::Error);
  EXPECT_THROW(fit_normal_mixture(torch::ones({4, 2}), {1, 0.0, 1}), c10::Error);
}

TEST(LogDensities, MatchTheFormula) {
  const NormalMixture mixture{torch::tensor({0.25, 0.75}, torch::kDouble),
                              torch::tensor({{0.0}, {1.0}}, torch::kDouble),
                              torch::tensor({{{1.0}}, {{4.0}}}, torch::kDouble)};
  const auto logs = log_densities(mixture, torch::tensor({{3.0}}, torch::kDouble));
  const double root = std::sqrt(2 * std::numbers::pi);
  EXPECT_NEAR(logs[0][0].item<double>(), std::log(0.25 / root) - 4.5, 1e-12);
  EXPECT_NEAR(logs[1][0].item<double>(), std::log(0.75 / root / 2) - 0.5, 1e-12);
  EXPECT_THROW(log_densities(mixture, torch::zeros({1, 2})), c10::Error);
}

TEST(LeadingDirections, AreThoseOfTheFarthestSamplesHoweverFarTheyLie) {
  torch::manual_seed(3);
  auto samples = 0.1 * torch::randn({1000, 3}, torch::kDouble);
  samples.slice(0, 0, 99).select(1, 0).fill_(2.0);
  samples[99] = torch::tensor({0.0, 0.0, 1e3}, torch::kDouble);
  const auto directions = leading_directions(samples, 2);
  EXPECT_NEAR(directions.trace().item<double>(), 1.0, 1e-12);
  // One sample is a hundredth of the farthest tenth, though its square is the largest by far.
  EXPECT_NEAR(directions[0][0].item<double>(), 0.99, 0.01);
  EXPECT_NEAR(directions[2][2].item<double>(), 0.01, 0.01);
  EXPECT_NEAR(leading_directions(samples, 1)[2][2].item<double>(), 0.0, 1e-3);
  EXPECT_EQ(leading_directions(torch::zeros({20, 3}), 2).abs().max().item<double>(), 0.0);
}

TEST(WithTexture, RepeatsThePartsWithWiderCovariances) {
  const NormalMixture narrow{torch::tensor({0.75, 0.25}, torch::kDouble),
                             torch::tensor({{0.0, 0.0}, {8.0, 4.0}}, torch::kDouble),
                             torch::eye(2, torch::kDouble).repeat({2, 1, 1})};
  auto along_first = torch::zeros({2, 2}, torch::kDouble);
  along_first[0][0] = 1.0;
  const auto wide = with_texture(narrow, {along_first, {2.0, 5.0}, 0.2});
  const auto weights = torch::tensor({0.6, 0.2, 0.075, 0.025, 0.075, 0.025}, torch::kDouble);
  EXPECT_LT((wide.weights - weights).abs().max().item<double>(), 1e-12);
  EXPECT_TRUE(torch::equal(wide.means, narrow.means.repeat({3, 1})));
  const auto variances = torch::tensor({1.0, 1.0, 5.0, 5.0, 26.0, 26.0}, torch::kDouble);
  EXPECT_TRUE(torch::equal(wide.covariances.select(1, 0).select(1, 0), variances));
  EXPECT_TRUE(torch::equal(wide.covariances.select(1, 1).select(1, 1), torch::ones({6}, torch::kDouble)));
  EXPECT_TRUE(torch::equal(with_texture(narrow, {along_first, {}, 0.2}).weights, narrow.weights));
}

}  // namespace
}  // namespace hyperdefect::spectral
