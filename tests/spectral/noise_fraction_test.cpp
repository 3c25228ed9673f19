// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/noise_fraction.h"

#include <gtest/gtest.h>

#include <limits>

namespace hyperdefect::spectral {
namespace {

constexpr std::int64_t kSide = 100;

torch::Tensor all_valid() {
  return torch::ones({kSide, kSide}, torch::kBool);
}

/// A slope along both axes, of variance 1.
torch::Tensor slope() {
  const auto axis = torch::linspace(-1, 1, kSide);
  const auto plane = axis.view({-1, 1}) + axis;
  return plane / plane.std();
}

torch::Tensor noise() {
  return torch::randn({kSide, kSide});
}

double share_of(const torch::Tensor& band, const torch::Tensor& valid = all_valid()) {
  NoiseFraction noise(1);
  noise.add({band.unsqueeze(0), valid, {}, {}});
  return noise.share().item<double>();
}

class NoiseShareTest : public ::testing::Test {
 protected:
  NoiseShareTest() { torch::manual_seed(3); }
};

TEST_F(NoiseShareTest, IsThePartOfTheVarianceThatIsNoise) {
  EXPECT_NEAR(share_of(slope()), 0.0, 0.01);
  EXPECT_NEAR(share_of(noise()), 1.0, 0.05);
  // Variance 1 of the scene beside 1/4 and 4 of noise.
  EXPECT_NEAR(share_of(slope() + 0.5 * noise()), 0.2, 0.03);
  EXPECT_NEAR(share_of(slope() + 2 * noise()), 0.8, 0.04);
}

TEST_F(NoiseShareTest, DoesNotDependOnUnits) {
  const auto band = slope() + noise();
  EXPECT_NEAR(share_of(1000 * band + 5000), share_of(band), 1e-3);
}

TEST_F(NoiseShareTest, TakesNoStripesForNoise) {
  const auto stripes = torch::randn({1, kSide}).expand({kSide, kSide});
  EXPECT_NEAR(share_of(stripes + 0.1 * noise()), 0.01, 0.01);
  EXPECT_NEAR(share_of(stripes.t() + 0.1 * noise()), 0.01, 0.01);
}

TEST_F(NoiseShareTest, IsNotDecidedByAFewPixels) {
  auto band = slope() + 0.1 * noise();
  const double before = share_of(band);
  band.view({-1}).index_put_({torch::randperm(kSide * kSide).slice(0, 0, 20)}, 1e5F);
  EXPECT_NEAR(share_of(band), before, 0.02);
}

TEST_F(NoiseShareTest, LooksAtValidPixelsAlone) {
  auto band = slope();
  auto valid = all_valid();
  band.narrow(0, 10, 20).fill_(std::numeric_limits<float>::quiet_NaN());
  valid.narrow(0, 10, 20).fill_(false);
  EXPECT_NEAR(share_of(band, valid), 0.0, 0.01);
  // Every second pixel: none has a neighbour.
  const auto board = (torch::arange(kSide).view({-1, 1}) + torch::arange(kSide)).remainder(2).eq(0);
  EXPECT_EQ(share_of(noise(), board), 0.0);
  EXPECT_EQ(share_of(noise(), torch::zeros_like(valid)), 0.0);
}

TEST_F(NoiseShareTest, IsZeroWithoutVariation) {
  EXPECT_EQ(share_of(torch::full({kSide, kSide}, 7.0F)), 0.0);
}

TEST_F(NoiseShareTest, KnowsASingleRowByItsOwnPairs) {
  NoiseFraction row(1);
  row.add({torch::randn({1, 1, 10000}), torch::ones({1, 10000}, torch::kBool), {}, {}});
  EXPECT_NEAR(row.share().item<double>(), 1.0, 0.05);
}

TEST_F(NoiseShareTest, AddsUpBlocks) {
  const auto values = torch::stack({slope(), noise()});
  NoiseFraction parts(2);
  for (const std::int64_t first : {0, 50}) {
    parts.add({values.narrow(1, first, 50), all_valid().narrow(0, first, 50), {}, {}});
  }
  const auto share = parts.share();
  EXPECT_NEAR(share[0].item<double>(), 0.0, 0.01);
  EXPECT_NEAR(share[1].item<double>(), 1.0, 0.05);
}

}  // namespace
}  // namespace hyperdefect::spectral
