// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/rx.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"

namespace hyperdefect::spectral {
namespace {

RxModel fitted(const torch::Tensor& spectra) {
  Moments moments(spectra.size(1));
  moments.add(spectra);
  return fit_rx(moments);
}

/// (n, bands) -> (bands, 1, n)
torch::Tensor as_cube(const torch::Tensor& spectra) {
  return spectra.t().unsqueeze(1);
}

TEST(Rx, IsTheSquaredMahalanobisDistance) {
  // Sample covariance diag(2, 8): the distance of (3, 4) from (1, 0) is 4 / 2 + 16 / 8.
  const auto model =
      fitted(torch::tensor({{0.0, 2.0}, {2.0, -2.0}, {0.0, -2.0}, {2.0, 2.0}}) * std::sqrt(1.5) +
             torch::tensor({1 - std::sqrt(1.5), 0.0}));
  EXPECT_EQ(model.ridge, 0.0);
  EXPECT_NEAR(rx(torch::tensor({3.0F, 4.0F}).view({2, 1, 1}), model).item<double>(), 4.0, 1e-5);
  EXPECT_EQ(rx(model.mean.view({2, 1, 1}), model).item<float>(), 0.0F);
}

TEST(Rx, SumsToTheDegreesOfFreedomOverItsOwnBackground) {
  torch::manual_seed(1);
  const auto spectra = 1e4 + torch::randn({5000, 7}).matmul(torch::randn({7, 7}));
  const auto distances = rx(as_cube(spectra), fitted(spectra));
  EXPECT_EQ(distances.sizes(), (std::vector<std::int64_t>{1, 5000}));
  EXPECT_NEAR(distances.sum().item<double>(), 7 * 4999.0, 0.5);
}

TEST(Rx, IsBlindToAnInvertibleMixOfBands) {
  torch::manual_seed(2);
  const auto spectra = torch::randn({400, 5}, torch::kDouble);
  const auto mixed = 3 + spectra.matmul(torch::randn({5, 5}, torch::kDouble));
  const auto difference = rx(as_cube(spectra), fitted(spectra)) - rx(as_cube(mixed), fitted(mixed));
  EXPECT_LT(difference.abs().max().item<double>(), 1e-4);
}

TEST(Rx, EqualsThePseudoInverseOnASingularBackground) {
  torch::manual_seed(3);
  const auto some = torch::randint(0, 1000, {300, 4}).to(torch::kDouble);
  const auto copied = torch::cat({some, some.slice(1, 0, 2), torch::full({300, 1}, 7.0, torch::kDouble)}, 1);
  const auto model = fitted(copied);
  EXPECT_GT(model.ridge, 0.0);
  const auto difference = rx(as_cube(copied), model) - rx(as_cube(some), fitted(some));
  EXPECT_LT(difference.abs().max().item<double>(), 1e-4);
}

TEST(Rx, SeesASpectrumThatLeavesTheBackgroundsSpace) {
  torch::manual_seed(4);
  const auto some = torch::randn({300, 2}, torch::kDouble);
  const auto model = fitted(torch::cat({some, some.slice(1, 0, 1)}, 1));
  const auto outside = torch::tensor({0.0F, 0.0F, 10.0F}).view({3, 1, 1});
  EXPECT_GT(rx(outside, model).item<double>(), 20.0);
}

TEST(Rx, CopesWithFewerPixelsThanBands) {
  torch::manual_seed(5);
  const auto spectra = torch::randn({10, 30});
  const auto distances = rx(as_cube(spectra), fitted(spectra));
  // Each of n points in general position has the distance (n - 1)^2 / n.
  EXPECT_LT((distances - 8.1).abs().max().item<double>(), 1e-3);
}

TEST(Rx, IsZeroOverAConstantBackground) {
  const auto spectra = torch::full({20, 3}, 5.0F);
  const auto model = fitted(spectra);
  EXPECT_EQ(model.ridge, 1.0);
  EXPECT_EQ(rx(as_cube(spectra), model).abs().max().item<float>(), 0.0F);
}

TEST(Rx, PassesNanOn) {
  const auto model = fitted(torch::tensor({{0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}));
  auto cube = torch::ones({2, 1, 2});
  cube[0][0][1] = std::numeric_limits<float>::quiet_NaN();
  const auto distances = rx(cube, model);
  EXPECT_FALSE(distances[0][0].isnan().item<bool>());
  EXPECT_TRUE(distances[0][1].isnan().item<bool>());
}

TEST(Rx, RefusesTooFewPixelsAndOtherBands) {
  EXPECT_THROW(fit_rx(Moments(3)), InputError);
  EXPECT_THROW(rx(torch::zeros({4, 1, 1}), fitted(torch::randn({9, 3}))), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
