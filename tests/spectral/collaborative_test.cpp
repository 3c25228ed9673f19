// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/collaborative.h"

#include <gtest/gtest.h>

#include <limits>

namespace hyperdefect::spectral {
namespace {

torch::Tensor all_valid(const torch::Tensor& maps) {
  return torch::ones({maps.size(-2), maps.size(-1)}, torch::kBool);
}

/// The residual of y (n) by X (n, m) as the paper writes it: a = (X'X + lambda G'G)^-1 X'y, with a row of
/// ones below both.
double by_definition(const torch::Tensor& y, const torch::Tensor& x, double lambda) {
  const auto ones = torch::ones({1, x.size(1)}, x.options());
  const auto distances = (x - y.unsqueeze(1)).square().sum(0);
  const auto all_y = torch::cat({y, torch::ones({1}, y.options())});
  const auto all_x = torch::cat({x, ones});
  const auto system = all_x.t().matmul(all_x) + lambda * distances.diag();
  const auto coefficients = torch::linalg_solve(system, all_x.t().mv(all_y), true);
  return (y - x.mv(coefficients)).norm().item<double>();
}

TEST(CollaborativeResidual, MatchesThePaper) {
  torch::manual_seed(1);
  const auto components = torch::randn({5, 9, 8}, torch::kDouble);
  const auto valid = all_valid(components);
  const image::DualWindow window{3, 7};
  for (const double lambda : {1e-4, 1e-2, 1.0}) {
    const auto residual = collaborative_residual(components, valid, window, lambda);
    const auto ring = image::background_pixels(components, window, 4, 1).select(2, 3);
    const auto y = components.select(1, 4).select(1, 3);
    const auto wanted = by_definition(y, ring, lambda);
    EXPECT_NEAR(residual[4][3].item<double>(), wanted, 1e-5 * wanted) << lambda;
  }
}

TEST(CollaborativeResidual, IsSmallForAMixtureOfTheSurroundings) {
  torch::manual_seed(2);
  auto components = 0.05 * torch::randn({4, 15, 30});
  components[0].slice(1, 15, 30).add_(3);
  components.select(1, 7).select(1, 22).copy_(torch::tensor({3.0F, 0.0F, 3.0F, 0.0F}));
  const auto residual = collaborative_residual(components, all_valid(components), {3, 9}, 1e-2);
  EXPECT_EQ(residual.argmax().item<std::int64_t>(), 7 * 30 + 22);
  EXPECT_LT(residual[7][15].item<float>(), 0.1F * residual[7][22].item<float>());
}

TEST(CollaborativeResidual, IsNothingWhereThePixelIsAmongItsNeighbours) {
  const auto components = torch::full({2, 5, 5}, 2.0F);
  const auto residual = collaborative_residual(components, all_valid(components), {1, 3}, 1e-6);
  EXPECT_LT(residual.max().item<float>(), 1e-6F);
}

TEST(CollaborativeResidual, TakesNoAccountOfInvalidPixels) {
  torch::manual_seed(3);
  auto components = torch::randn({2, 9, 9});
  auto valid = all_valid(components);
  valid[4][5] = false;
  components.select(1, 4).select(1, 5).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto with_nan = collaborative_residual(components, valid, {1, 5}, 1e-2);
  components.select(1, 4).select(1, 5).fill_(1e6);
  const auto with_number = collaborative_residual(components, valid, {1, 5}, 1e-2);
  EXPECT_TRUE(with_nan.masked_select(valid).equal(with_number.masked_select(valid)));
}

TEST(CollaborativeResidual, IsTheSpectrumItselfWhereNoNeighbourIsValid) {
  const auto components = torch::full({1, 3, 3}, 2.0F);
  auto valid = torch::zeros({3, 3}, torch::kBool);
  valid[1][1] = true;
  EXPECT_EQ(collaborative_residual(components, valid, {1, 3}, 1e-6)[1][1].item<float>(), 2.0F);
}

TEST(CollaborativeResidual, IsTheSameInTilesWithAHalo) {
  torch::manual_seed(4);
  const auto components = torch::randn({3, 30, 12});
  const image::DualWindow window{3, 7};
  const auto whole_map = collaborative_residual(components, all_valid(components), window, 1e-2);
  const auto tile = components.slice(1, 10 - window.reach_px(), 20 + window.reach_px());
  const auto part =
      collaborative_residual(tile, all_valid(tile), window, 1e-2).narrow(0, window.reach_px(), 10);
  EXPECT_LT((whole_map.slice(0, 10, 20) - part).abs().max().item<float>(), 1e-6F);
}

TEST(CollaborativeResidual, RefusesWrongArguments) {
  const auto valid = torch::ones({5, 5}, torch::kBool);
  EXPECT_THROW(collaborative_residual(torch::zeros({5, 5}), valid, {1, 3}, 0.1), c10::Error);
  EXPECT_THROW(collaborative_residual(torch::zeros({2, 5, 6}), valid, {1, 3}, 0.1), c10::Error);
  EXPECT_THROW(collaborative_residual(torch::zeros({2, 5, 5}), valid, {1, 3}, 0.0), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
