// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/bulk.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/scenes.h"

namespace hyperdefect::spectral {
namespace {

/// Of an image (bands, rows, cols).
Bulk of_image(const torch::Tensor& image) {
  const auto pixels = [](const torch::Tensor& part) { return part.flatten(1).t(); };
  return bulk_of(pixels(image.slice(2, 0, -1)), pixels(image.slice(2, 1)));
}

const torch::Tensor& scene() {
  static const auto image = test::smooth_scene(12, {40, 60}, 3);
  return image;
}

TEST(Bulk, HasTheMedianSpectrum) {
  const auto bulk = bulk_of(torch::tensor({{1.0, 4.0}, {2.0, 5.0}, {9.0, 6.0}}), torch::ones({3, 2}));
  ASSERT_EQ(bulk.log_spectrum.size(), 2U);
  EXPECT_DOUBLE_EQ(bulk.log_spectrum[0], std::log(2.0));
  EXPECT_DOUBLE_EQ(bulk.log_spectrum[1], std::log(5.0));
}

TEST(Bulk, OfABrighterImageIsShifted) {
  const auto before = of_image(scene());
  const auto after = of_image(scene() * 1.25);
  for (std::size_t band = 0; band < before.log_spectrum.size(); ++band) {
    EXPECT_NEAR(after.log_spectrum[band] - before.log_spectrum[band], std::log(1.25), 1e-6);
  }
  EXPECT_NEAR(after.noise, before.noise, 1e-5);
  EXPECT_NEAR(after.brightness_spread, before.brightness_spread, 1e-5);
  EXPECT_NEAR(after.spectrum_spread, before.spectrum_spread, 1e-5);
}

TEST(Bulk, TellsNoiseFromVariation) {
  const auto before = of_image(scene());
  const auto noisy = of_image(scene() + 0.01 * torch::randn(scene().sizes(), test::seeded(5)));
  EXPECT_NEAR(noisy.noise - before.noise, 0.5 * std::log(5.0), 0.1) << "0.005 and 0.01 make 0.0112";
  const auto smooth = of_image((scene().slice(2, 0, -1) + scene().slice(2, 1)) / 2);
  EXPECT_LT(smooth.noise, before.noise - 0.3) << "out of focus";
  const auto even = of_image(scene().mean({1, 2}, true) + 0.2 * (scene() - scene().mean({1, 2}, true)));
  EXPECT_NEAR(even.brightness_spread - before.brightness_spread, std::log(0.2), 0.2);
}

TEST(Bulk, HardlySeesADefect) {
  auto image = scene().clone();
  image.slice(1, 3, 7).slice(2, 10, 15).fill_(9);
  const auto before = of_image(scene());
  const auto after = of_image(image);
  for (std::size_t band = 0; band < before.log_spectrum.size(); ++band) {
    EXPECT_NEAR(after.log_spectrum[band], before.log_spectrum[band], 0.01);
  }
  EXPECT_NEAR(after.noise, before.noise, 0.2);
  EXPECT_NEAR(after.brightness_spread, before.brightness_spread, 0.05);
}

TEST(Bulk, WithoutLightIsDark) {
  const auto dark = of_image(scene() - 5);
  EXPECT_LT(dark.log_spectrum[0], std::log(1e-9));
}

TEST(Bulk, IsFiniteForAnyValues) {
  for (const double value : {0.0, -3.0, 1e-30, 1e12}) {
    const auto flat = torch::full({5, 4}, value, torch::kDouble);
    const auto bulk = bulk_of(flat, flat);
    for (const auto number :
         {bulk.log_spectrum[0], bulk.noise, bulk.brightness_spread, bulk.spectrum_spread}) {
      EXPECT_TRUE(std::isfinite(number)) << value;
    }
  }
  HYPERDEFECT_EXPECT_ERROR(bulk_of(torch::empty({0, 4}), torch::empty({0, 4})), InputError, "no valid pixel");
}

}  // namespace
}  // namespace hyperdefect::spectral
