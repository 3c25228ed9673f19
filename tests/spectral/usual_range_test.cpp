// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/usual_range.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hyperdefect::spectral {
namespace {

/// (4, n): normal values around these levels with these deviations.
torch::Tensor spectra(std::int64_t count, const std::vector<double>& levels, double relative_deviation) {
  torch::manual_seed(1);
  std::vector<torch::Tensor> bands;
  for (const double level : levels) {
    bands.push_back(level * (1 + relative_deviation * torch::randn({count})));
  }
  return torch::stack(bands);
}

std::int64_t left_out(const torch::Tensor& values) {
  return is_outside(values, usual_range(values)).sum().item<std::int64_t>();
}

/// A value in one band of one pixel among 5,000.
std::int64_t left_out_with(torch::Tensor values, double odd, std::int64_t pixels = 1) {
  values[1].slice(0, 0, pixels).fill_(odd);
  return left_out(values);
}

TEST(UsualRange, LeavesOutWhatNoSpectrumShows) {
  const auto reflectance = spectra(5000, {0.3, 0.4, 0.5, 0.2}, 0.2);
  const auto counts = spectra(5000, {1000, 1100, 900, 800}, 0.05);
  EXPECT_EQ(left_out(reflectance), 0);
  EXPECT_EQ(left_out(counts), 0);
  for (const double odd : {1e38, -1e38, -9999.0, 65535.0, 3.4e38, -32768.0}) {
    EXPECT_EQ(left_out_with(reflectance.clone(), odd), 1) << odd;
    EXPECT_EQ(left_out_with(counts.clone(), odd), 1) << odd;
  }
}

TEST(UsualRange, HoldsWhereUpToATenthIsWrong) {
  for (const double odd : {1e38, -1e38, -9999.0}) {
    for (const std::int64_t pixels : {1, 49, 51, 250, 450}) {
      EXPECT_EQ(left_out_with(spectra(5000, {0.3, 0.4, 0.5, 0.2}, 0.2), odd, pixels), pixels) << odd;
    }
  }
}

TEST(UsualRange, KeepsDefects) {
  const auto counts = spectra(5000, {1000, 1100, 900, 800}, 0.005);
  for (const double bright : {2.0, 5.0, 10.0, 15.0}) {
    EXPECT_EQ(left_out_with(counts.clone(), 1100 * bright), 0) << bright;
  }
  EXPECT_EQ(left_out_with(counts.clone(), 0), 0);
  EXPECT_EQ(left_out_with(counts.clone(), -300), 0);
}

TEST(UsualRange, KeepsABrightObjectInADarkBand) {
  EXPECT_EQ(left_out_with(spectra(5000, {0.1, 0.001, 0.08, 0.05}, 0.1), 0.6), 0);
  EXPECT_EQ(left_out_with(spectra(5000, {0.1, 0.0, 0.08, 0.05}, 0.1), 0.6), 0);
}

TEST(UsualRange, ReachesAsFarToBothSidesOfZero) {
  torch::manual_seed(1);
  for (const double odd : {40.0, -40.0}) {
    EXPECT_EQ(left_out_with(torch::randn({4, 5000}), odd), 0) << odd;
  }
  for (const double odd : {400.0, -400.0}) {
    EXPECT_EQ(left_out_with(torch::randn({4, 5000}), odd), 1) << odd;
  }
}

TEST(UsualRange, LooksOnlyAtBandsThatHoldSomething) {
  auto values = spectra(5000, {0.3, 0.4, 0.5, 0.2}, 0.2);
  values[2].fill_(std::nanf(""));
  EXPECT_EQ(left_out(values), 0);
  EXPECT_EQ(left_out_with(values, 1e38), 1);
}

TEST(UsualRange, OfNothingButZerosIsEveryCount) {
  auto values = torch::zeros({4, 100});
  EXPECT_EQ(left_out(values), 0);
  values[0][0] = 1e11;
  EXPECT_EQ(left_out(values), 0);
  values[0][1] = 1e13;
  EXPECT_EQ(left_out(values), 1);
}

TEST(UsualRange, OfFewPixelsHolds) {
  EXPECT_EQ(left_out(torch::ones({3, 1})), 0);
  EXPECT_EQ(left_out(torch::tensor({{1.0F, 2.0F}, {3.0F, 9.0F}})), 0);
}

TEST(UsualRange, IsAppliedToMapsToo) {
  const UsualRange range{torch::tensor({0.0F, 10.0F}), torch::tensor({1.0F, 20.0F})};
  const auto map = torch::tensor({0.5F, 2.0F, 0.5F, 0.5F, 15.0F, 15.0F, 9.0F, NAN}).view({2, 2, 2});
  EXPECT_TRUE(torch::equal(is_outside(map, range), torch::tensor({false, true, true, false}).view({2, 2})));
}

}  // namespace
}  // namespace hyperdefect::spectral
