// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/angle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace hyperdefect::spectral {
namespace {

constexpr double kPi = std::numbers::pi;

torch::Tensor spectrum(std::initializer_list<double> values) {
  return torch::tensor(std::vector<double>(values), torch::kDouble);
}

TEST(SpectralAngle, ReproducesTheWorkedExample) {
  const double dot = 0.4 * 0.35 + 0.5 * 0.55 + 0.6 * 0.65;
  const double norms = std::sqrt((0.16 + 0.25 + 0.36) * (0.35 * 0.35 + 0.55 * 0.55 + 0.65 * 0.65));
  const auto angle = spectral_angle(spectrum({0.4, 0.5, 0.6}), spectrum({0.35, 0.55, 0.65}));
  EXPECT_NEAR(angle, 0.0836, 5e-5);
  EXPECT_NEAR(angle, std::acos(dot / norms), 1e-12);
}

TEST(SpectralAngle, IsExactAtItsEnds) {
  torch::manual_seed(1);
  for (int i = 0; i < 100; ++i) {
    const auto x = torch::randn({200});
    EXPECT_EQ(spectral_angle(x, x), 0.0);
    EXPECT_EQ(spectral_angle(x, -x), kPi);
  }
  EXPECT_DOUBLE_EQ(spectral_angle(spectrum({1, 0}), spectrum({0, 3})), kPi / 2);
}

TEST(SpectralAngle, KeepsTinyAngles) {
  const auto angle = spectral_angle(spectrum({1, 0}), spectrum({1, 1e-9}));
  EXPECT_NEAR(angle, 1e-9, 1e-15);
}

TEST(SpectralAngle, IsSymmetricAndBlindToScale) {
  torch::manual_seed(2);
  const auto x = torch::rand({50}, torch::kDouble);
  const auto y = torch::rand({50}, torch::kDouble);
  const double angle = spectral_angle(x, y);
  EXPECT_EQ(angle, spectral_angle(y, x));
  EXPECT_NEAR(angle, spectral_angle(1e6 * x, 1e-6 * y), 1e-14);
  EXPECT_NEAR(angle, spectral_angle(1e200 * x, 1e-200 * y), 1e-14);
}

TEST(SpectralAngle, HasNoValueForAZeroSpectrum) {
  EXPECT_TRUE(std::isnan(spectral_angle(spectrum({0, 0}), spectrum({1, 2}))));
  EXPECT_TRUE(std::isnan(spectral_angle(spectrum({1, 2}), spectrum({0, 0}))));
}

TEST(SpectralAngle, RefusesSpectraOfDifferentLength) {
  EXPECT_THROW(spectral_angle(spectrum({1, 2}), spectrum({1, 2, 3})), c10::Error);
}

TEST(SpectralAngleMap, EqualsThePixelsOneByOne) {
  torch::manual_seed(3);
  // More pixels than one strip holds.
  const auto cube = torch::rand({100, 50, 60});
  const auto other = torch::rand({100, 50, 60});
  const auto to_spectrum = spectral_angle_map(cube, other.select(1, 7).select(1, 9));
  const auto to_cube = spectral_angle_map(cube, other);
  ASSERT_EQ(to_spectrum.sizes(), (std::vector<std::int64_t>{50, 60}));
  ASSERT_EQ(to_cube.scalar_type(), torch::kFloat);
  for (const auto& [row, col] : {std::pair{0, 0}, {7, 9}, {31, 12}, {49, 59}}) {
    const auto pixel = cube.select(1, row).select(1, col);
    EXPECT_NEAR(to_spectrum[row][col].item<double>(), spectral_angle(pixel, other.select(1, 7).select(1, 9)),
                1e-6);
    EXPECT_NEAR(to_cube[row][col].item<double>(), spectral_angle(pixel, other.select(1, row).select(1, col)),
                1e-6);
  }
  EXPECT_EQ(spectral_angle_map(cube, cube).abs().max().item<double>(), 0.0);
}

TEST(SpectralAngleMap, DoesNotOverflowIntegers) {
  const auto cube = torch::full({200, 1, 1}, 32000, torch::kShort);
  const auto bytes = torch::full({200, 1, 1}, 255, torch::kByte);
  EXPECT_EQ(spectral_angle_map(cube, bytes).item<float>(), 0.0F);
  const auto half =
      torch::cat({torch::zeros({100}, torch::kShort), torch::full({100}, 32000, torch::kShort)});
  EXPECT_NEAR(spectral_angle_map(cube, half).item<double>(), kPi / 4, 1e-6);
}

TEST(SpectralAngleMap, HasNoValueForZeroAndNanPixels) {
  auto cube = torch::ones({3, 1, 3});
  cube.select(2, 0).zero_();
  cube[1][0][1] = std::numeric_limits<float>::quiet_NaN();
  const auto map = spectral_angle_map(cube, torch::ones({3}));
  EXPECT_TRUE(std::isnan(map[0][0].item<float>()));
  EXPECT_TRUE(std::isnan(map[0][1].item<float>()));
  EXPECT_EQ(map[0][2].item<float>(), 0.0F);
}

TEST(SpectralAngleMap, RefusesOtherShapes) {
  EXPECT_THROW(spectral_angle_map(torch::ones({3, 2, 2}), torch::ones({4})), c10::Error);
  EXPECT_THROW(spectral_angle_map(torch::ones({3, 2, 2}), torch::ones({3, 2, 3})), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::spectral
