// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/dual_window.h"

#include <gtest/gtest.h>

namespace hyperdefect::image {
namespace {

TEST(DualWindow, CountsWhatLiesBetweenItsWindows) {
  const DualWindow window{3, 7};
  EXPECT_EQ(window.reach_px(), 3);
  EXPECT_EQ(window.pixels(), 40);
  EXPECT_TRUE(window.is_sound());
  EXPECT_FALSE((DualWindow{3, 3}.is_sound()));
  EXPECT_FALSE((DualWindow{2, 5}.is_sound()));
  EXPECT_FALSE((DualWindow{3, 6}.is_sound()));
}

TEST(DualWindow, SumsTheRingUpToTheBorder) {
  const auto map = torch::arange(25).view({1, 5, 5}).to(torch::kFloat);
  const auto sums = background_sums(map, {1, 3}).squeeze(0);
  // 6 + 7 + 8 + 11 + 13 + 16 + 17 + 18 about the middle, 1 + 5 + 6 at the corner.
  EXPECT_EQ(sums[2][2].item<double>(), 96);
  EXPECT_EQ(sums[0][0].item<double>(), 12);
  const auto wide = background_sums(torch::ones({1, 5, 5}), {3, 99}).squeeze(0);
  EXPECT_EQ(wide[2][2].item<double>(), 16);
  EXPECT_EQ(wide[0][0].item<double>(), 21);
}

TEST(DualWindow, GathersTheSamePixelsThatItSums) {
  torch::manual_seed(1);
  const auto maps = torch::randn({2, 9, 6}, torch::kDouble);
  const DualWindow window{3, 7};
  const auto pixels = background_pixels(maps, window, 2, 4);
  EXPECT_EQ(pixels.sizes(), (torch::IntArrayRef{2, 40, 24}));
  const auto sums = background_sums(maps, window).narrow(1, 2, 4).flatten(1);
  EXPECT_LT((pixels.sum(1) - sums).abs().max().item<double>(), 1e-12);
}

TEST(DualWindow, NoPixelsHaveNoSums) {
  EXPECT_EQ(background_sums(torch::zeros({2, 0, 5}), {1, 3}).sizes(), (torch::IntArrayRef{2, 0, 5}));
}

TEST(DualWindow, RefusesWrongArguments) {
  EXPECT_THROW(background_sums(torch::zeros({5, 5}), {1, 3}), c10::Error);
  EXPECT_THROW(background_sums(torch::zeros({1, 5, 5}), {3, 3}), c10::Error);
  EXPECT_THROW(background_pixels(torch::zeros({1, 5, 5}), {2, 5}, 0, 5), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::image
