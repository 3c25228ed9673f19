// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/gaussian.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hyperdefect::image {
namespace {

torch::Tensor all_valid(const torch::Tensor& map) {
  return torch::ones(map.sizes(), torch::kBool);
}

TEST(GaussianSmoothed, SpreadsAPointByTheGaussian) {
  auto map = torch::zeros({41, 41});
  map[20][20] = 1;
  const auto smooth = gaussian_smoothed(map, all_valid(map), 2.0);
  EXPECT_NEAR(smooth.sum().item<double>(), 1.0, 1e-5);
  EXPECT_NEAR(smooth[20][20].item<double>(), 0.0398, 1e-4);
  EXPECT_NEAR((smooth[20][23] / smooth[20][20]).item<double>(), std::exp(-9.0 / 8), 1e-5);
  EXPECT_NEAR((smooth[18][21] / smooth[20][20]).item<double>(), std::exp(-5.0 / 8), 1e-5);
  EXPECT_GT(smooth[20][28].item<float>(), 0.0F);
  EXPECT_EQ(smooth[20][29].item<float>(), 0.0F);
}

TEST(GaussianSmoothed, KeepsAConstantMapUpToItsBorders) {
  const auto map = torch::full({5, 7}, 3.0F);
  const auto smooth = gaussian_smoothed(map, all_valid(map), 4.0);
  EXPECT_LT((smooth - 3).abs().max().item<float>(), 1e-5F);
}

TEST(GaussianSmoothed, KeepsInvalidPixelsOutOfTheirNeighbours) {
  auto map = torch::full({6, 6}, 3.0F);
  auto valid = all_valid(map);
  map[2][2] = -9999;
  valid[2][2] = false;
  map[4][1] = std::numeric_limits<float>::quiet_NaN();
  const auto smooth = gaussian_smoothed(map, valid, 1.0);
  const auto nan = smooth.isnan();
  EXPECT_EQ(nan.sum().item<int>(), 2);
  EXPECT_TRUE(nan[2][2].item<bool>());
  EXPECT_TRUE(nan[4][1].item<bool>());
  EXPECT_LT((smooth.masked_select(nan.logical_not()) - 3).abs().max().item<float>(), 1e-5F);
}

TEST(GaussianSmoothed, DoesNotDependOnWhatLiesBeyondItsRadius) {
  torch::manual_seed(1);
  const auto map = torch::rand({40, 30});
  const auto radius = gaussian_radius(1.5);
  EXPECT_EQ(radius, 6);
  const auto whole_map = gaussian_smoothed(map, all_valid(map), 1.5);
  const auto tile = map.slice(0, 10 - radius, 20 + radius);
  const auto part = gaussian_smoothed(tile, all_valid(tile), 1.5).slice(0, radius, radius + 10);
  EXPECT_LT((whole_map.slice(0, 10, 20) - part).abs().max().item<float>(), 1e-6F);
}

TEST(GaussianSmoothed, WithoutSigmaOnlyMarksInvalidPixels) {
  const auto map = torch::tensor({{1.0F, 2.0F}});
  EXPECT_EQ(gaussian_radius(0), 0);
  EXPECT_TRUE(gaussian_smoothed(map, all_valid(map), 0).equal(map));
  EXPECT_TRUE(gaussian_smoothed(map, torch::tensor({{true, false}}), 0)[0][1].isnan().item<bool>());
}

TEST(GaussianSmoothed, RefusesWrongArguments) {
  EXPECT_THROW(gaussian_smoothed(torch::zeros({2, 2}), torch::ones({2, 3}, torch::kBool), 1), c10::Error);
  EXPECT_THROW(gaussian_smoothed(torch::zeros({2, 2}), torch::ones({2, 2}, torch::kBool), -1), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::image
