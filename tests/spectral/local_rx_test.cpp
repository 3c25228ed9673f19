// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/local_rx.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hyperdefect::spectral {
namespace {

torch::Tensor all_valid(const torch::Tensor& maps) {
  return torch::ones({maps.size(-2), maps.size(-1)}, torch::kBool);
}

TEST(LocalRx, MatchesTheExampleByHand) {
  // The eight neighbours of the middle are four times 1 and four times 3: mean 2, variance 1.
  const auto map = torch::tensor({{1.0F, 3.0F, 1.0F}, {3.0F, 7.0F, 3.0F}, {1.0F, 3.0F, 1.0F}}).unsqueeze(0);
  const image::DualWindow window{1, 3};
  EXPECT_NEAR(local_rx(map, all_valid(map), window, 0.5)[1][1].item<float>(), 5.0F, 1e-6F);
  // At the corner 3, 7, 3 are seen: mean 13/3, variance 32/9, half of it and half of one.
  const double corner = (13.0 / 3 - 1) / std::sqrt(16.0 / 9 + 0.5);
  EXPECT_NEAR(local_rx(map, all_valid(map), window, 0.5)[0][0].item<double>(), corner, 1e-6);
}

TEST(LocalRx, MatchesTheDefinition) {
  torch::manual_seed(1);
  const auto components = torch::randn({4, 13, 12});
  auto valid = torch::rand({13, 12}) < 0.9;
  valid[6][5] = true;
  const image::DualWindow window{3, 9};
  const auto distance = local_rx(components, valid, window, 0.2);
  auto ring = torch::zeros({13, 12}, torch::kBool);
  ring.slice(0, 2, 11).slice(1, 1, 10).fill_(true);
  ring.slice(0, 5, 8).slice(1, 4, 7).fill_(false);
  const auto spectra =
      components.flatten(1).t().index({ring.logical_and(valid).flatten()}).to(torch::kDouble);
  const auto mean = spectra.mean(0);
  const auto centred = spectra - mean;
  const auto covariance = 0.8 * centred.t().matmul(centred) / static_cast<double>(spectra.size(0)) +
                          0.2 * torch::eye(4, torch::kDouble);
  const auto difference = components.select(1, 6).select(1, 5).to(torch::kDouble) - mean;
  const auto wanted = difference.dot(torch::linalg_inv(covariance).mv(difference)).sqrt().item<double>();
  EXPECT_NEAR(distance[6][5].item<double>(), wanted, 1e-5);
}

TEST(LocalRx, FindsWhatIsOddOnlyWhereItLies) {
  torch::manual_seed(2);
  auto components = 0.1 * torch::randn({2, 20, 40});
  components[0].slice(1, 20, 40).add_(5);
  components[0][10][10] = 5;
  const auto distance = local_rx(components, all_valid(components), {3, 11}, 0.01);
  EXPECT_EQ(distance.argmax().item<std::int64_t>(), 10 * 40 + 10);
  EXPECT_LT(distance[10][30].item<float>(), 5.0F);
}

TEST(LocalRx, TakesNoAccountOfInvalidPixels) {
  torch::manual_seed(3);
  auto components = torch::randn({2, 9, 9});
  auto valid = all_valid(components);
  valid[4][5] = false;
  components.select(1, 4).select(1, 5).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto with_nan = local_rx(components, valid, {1, 5}, 0.1);
  components.select(1, 4).select(1, 5).fill_(1e6);
  const auto with_number = local_rx(components, valid, {1, 5}, 0.1);
  EXPECT_TRUE(with_nan.masked_select(valid).equal(with_number.masked_select(valid)));
}

TEST(LocalRx, TakesTheWholeDataWhereNoNeighbourIsValid) {
  const auto components = torch::full({1, 3, 3}, 2.0F);
  auto valid = torch::zeros({3, 3}, torch::kBool);
  valid[1][1] = true;
  EXPECT_NEAR(local_rx(components, valid, {1, 3}, 0.1)[1][1].item<float>(), 2.0F, 1e-6F);
}

TEST(LocalRx, IsTheSameInTilesWithAHalo) {
  torch::manual_seed(4);
  const auto components = torch::randn({3, 30, 12});
  const image::DualWindow window{3, 7};
  const auto whole_map = local_rx(components, all_valid(components), window, 0.1);
  const auto tile = components.slice(1, 10 - window.reach_px(), 20 + window.reach_px());
  const auto part = local_rx(tile, all_valid(tile), window, 0.1).narrow(0, window.reach_px(), 10);
  EXPECT_LT((whole_map.slice(0, 10, 20) - part).abs().max().item<float>(), 1e-5F);
}

TEST(LocalRx, RefusesWrongArguments) {
  const auto valid = torch::ones({5, 5}, torch::kBool);
  EXPECT_THROW(local_rx(torch::zeros({5, 5}), valid, {1, 3}, 0.1), c10::Error);
  EXPECT_THROW(local_rx(torch::zeros({2, 5, 6}), valid, {1, 3}, 0.1), c10::Error);
  EXPECT_THROW(local_rx(torch::zeros({2, 5, 5}), valid, {1, 3}, 0.0), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
