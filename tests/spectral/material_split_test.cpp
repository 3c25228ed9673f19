// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/material_split.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hyperdefect::spectral {
namespace {

constexpr std::int64_t kBands = 12;

/// (n, bands): one spectrum, rising by `slope` over the bands, at brightnesses between 1 and `range`, with
/// noise.
torch::Tensor material(std::int64_t n, double slope, double brightness, double range, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  const auto axis = torch::linspace(-0.5, 0.5, kBands, torch::kDouble).unsqueeze(0);
  const auto light = torch::rand({n, 1}, generator, torch::kDouble) * std::log(range);
  const auto noise = torch::randn({n, kBands}, generator, torch::kDouble) * 0.02;
  return (std::log(brightness) + light + slope * axis + noise).exp();
}

double share_above(const torch::Tensor& spectra, const MaterialSplit& split) {
  return split_values(spectra.t(), split).gt(0).to(torch::kDouble).mean().item<double>();
}

TEST(MaterialSplit, TellsTwoMaterialsOfOtherBrightnessApart) {
  const auto dark = material(900, 0.1, 1, 1.2, 1);
  const auto bright = material(100, 0.1, 6, 1.2, 2);
  const auto found = find_material_split(torch::cat({dark, bright}));
  ASSERT_TRUE(found);
  EXPECT_LT(found->between, 0.01);
  const bool bright_above = found->brightness_ratio > 1;
  EXPECT_NEAR(found->upper_share, bright_above ? 0.1 : 0.9, 1e-9);
  EXPECT_NEAR(std::abs(std::log(found->brightness_ratio)), std::log(6.0), 0.05);
  const auto split = bright_above ? found->split : found->split.opposite();
  EXPECT_EQ(share_above(bright, split), 1);
  EXPECT_EQ(share_above(dark, split), 0);
}

/// The light falls off by more than the materials differ.
TEST(MaterialSplit, TellsMaterialsApartByTheirShape) {
  const auto rising = material(600, 1, 1, 4, 3);
  const auto falling = material(400, -1, 1, 4, 4);
  const auto found = find_material_split(torch::cat({rising, falling}));
  ASSERT_TRUE(found);
  EXPECT_LT(found->between, 0.01);
  const auto split = share_above(rising, found->split) > 0.5 ? found->split : found->split.opposite();
  EXPECT_EQ(share_above(rising, split), 1);
  EXPECT_EQ(share_above(falling, split), 0);
}

TEST(MaterialSplit, OfOneMaterialIsNotClear) {
  const auto flat = material(1000, 0.1, 1, 1.1, 5);
  EXPECT_FALSE(find_material_split(flat)) << "its halves differ by less than a fifth";
  EXPECT_NEAR(brightness_range(flat), 1.1, 0.03);
  const auto wide = find_material_split(material(1000, 0.1, 1, 6, 6));
  ASSERT_TRUE(wide);
  EXPECT_GT(wide->between, 0.2);
  EXPECT_GT(wide->share_between, 0.02);
  EXPECT_LT(wide->share_between, wide->between) << "a part of all, not of the smaller material";
}

TEST(MaterialSplit, TakesValuesBelowTheFloorForTheFloor) {
  const MaterialSplit split{{1, -1}, 0.5, 0.1};
  const auto values = split_values(torch::tensor({{-3.0, 0.2}, {0.1, 0.1}}), split);
  EXPECT_NEAR(values[0].item<double>(), -0.5, 1e-7);
  EXPECT_NEAR(values[1].item<double>(), std::log(2.0) - 0.5, 1e-7);
  EXPECT_THROW(split_values(torch::ones({3, 4}), split), c10::Error);
}

TEST(MaterialSplit, FindsNothingInNothing) {
  EXPECT_FALSE(find_material_split(torch::empty({0, 4})));
  EXPECT_FALSE(find_material_split(torch::ones({50, 4})));
  EXPECT_FALSE(find_material_split(torch::zeros({50, 4})));
}

}  // namespace
}  // namespace hyperdefect::spectral
