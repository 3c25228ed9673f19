// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/degradation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::synthetic {
namespace {

/// (4, 5, 7) with a different value everywhere, one invalid pixel and one defect.
LabelledCube numbered_cube() {
  LabelledCube cube{torch::arange(140, torch::kFloat).view({4, 5, 7}),
                    torch::ones({5, 7}, torch::kBool),
                    torch::zeros({5, 7}, torch::kBool),
                    {4, {500, 600, 700, 800}, {1, 2, 3, 4}, {true, true, true, false}}};
  cube.values.index_put_({torch::indexing::Slice(), 4, 6}, std::nanf(""));
  cube.valid.index_put_({4, 6}, false);
  cube.mask.index_put_({0, 1}, true);
  return cube;
}

/// A cube (3, rows, cols) that holds one value everywhere.
LabelledCube flat_cube(std::int64_t rows, std::int64_t cols, double value = 7.0) {
  return {torch::full({3, rows, cols}, value, torch::kFloat),
          torch::ones({rows, cols}, torch::kBool),
          torch::zeros({rows, cols}, torch::kBool),
          {3, {}, {}, {}}};
}

void expect_equal(const LabelledCube& one, const LabelledCube& other) {
  EXPECT_TRUE(one.values.nan_to_num(-1).equal(other.values.nan_to_num(-1)));
  EXPECT_TRUE(one.valid.equal(other.valid));
  EXPECT_TRUE(one.mask.equal(other.mask));
  EXPECT_EQ(one.bands, other.bands);
}

TEST(Reshaped, TurnsCounterClockwise) {
  const auto cube = numbered_cube();
  const auto turned = reshaped(cube, {1.0, false, 1});
  EXPECT_EQ(turned.values.sizes(), torch::IntArrayRef({4, 7, 5}));
  // The upper right corner becomes the upper left one.
  EXPECT_EQ(turned.values[0][0][0].item<float>(), 6);
  EXPECT_FALSE(turned.valid[0][4].item<bool>());
  EXPECT_TRUE(turned.mask[5][0].item<bool>());
}

TEST(Reshaped, FlipsBeforeItTurns) {
  const auto cube = numbered_cube();
  const auto flipped = reshaped(cube, {1.0, true, 0});
  EXPECT_EQ(flipped.values[0][0][0].item<float>(), 6);
  EXPECT_TRUE(flipped.mask[0][5].item<bool>());
  EXPECT_TRUE(flipped.values.size(2) == 7 && !flipped.valid[4][0].item<bool>());
  expect_equal(reshaped(cube, {1.0, true, 1}), reshaped(flipped, {1.0, false, 1}));
}

TEST(Reshaped, TurnsAndFlipsLeadBack) {
  const auto cube = numbered_cube();
  expect_equal(reshaped(reshaped(cube, {1.0, false, 1}), {1.0, false, 3}), cube);
  expect_equal(reshaped(cube, {1.0, false, 4}), cube);
  expect_equal(reshaped(cube, {1.0, false, -1}), reshaped(cube, {1.0, false, 3}));
  expect_equal(reshaped(reshaped(cube, {1.0, true, 0}), {1.0, true, 0}), cube);
}

TEST(Reshaped, KeepsAConstantCubeConstant) {
  for (const double zoom : {0.3, 0.6, 1.6, 2.0}) {
    const auto zoomed = reshaped(flat_cube(20, 31), {zoom});
    EXPECT_EQ(zoomed.values.sizes(), torch::IntArrayRef({3, std::lround(20 * zoom), std::lround(31 * zoom)}));
    EXPECT_LT((zoomed.values - 7).abs().max().item<double>(), 1e-5);
    EXPECT_TRUE(zoomed.valid.all().item<bool>());
  }
}

TEST(Reshaped, AveragesWhenItShrinks) {
  auto cube = flat_cube(40, 40, 0);
  cube.values.slice(1, 0, 40, 2).fill_(2);
  const auto zoomed = reshaped(cube, {0.25}).values.slice(1, 1, 9);
  EXPECT_LT((zoomed - 1).abs().max().item<double>(), 0.05);
}

TEST(Reshaped, InterpolatesWhenItEnlarges) {
  auto cube = flat_cube(1, 2, 0);
  cube.values.select(2, 1).fill_(4);
  const auto row = reshaped(cube, {2.0}).values[0][0];
  EXPECT_TRUE(row.allclose(torch::tensor({0.0F, 1.0F, 3.0F, 4.0F})));
}

TEST(Reshaped, TakesNothingFromInvalidPixels) {
  auto cube = flat_cube(12, 12);
  cube.values.slice(1, 0, 6).fill_(std::nanf(""));
  cube.valid.slice(0, 0, 6).fill_(false);
  for (const double zoom : {0.5, 1.5}) {
    const auto zoomed = reshaped(cube, {zoom});
    EXPECT_NEAR(zoomed.valid.to(torch::kFloat).mean().item<double>(), 0.5, 0.1);
    const auto differs = (zoomed.values - 7).abs().amax(0) > 1e-5;
    EXPECT_FALSE(differs.logical_and(zoomed.valid).any().item<bool>());
  }
}

TEST(Reshaped, KeepsEveryDefect) {
  for (const double zoom : {0.6, 1.6}) {
    for (int place = 0; place < 20; ++place) {
      auto cube = flat_cube(20, 20);
      cube.mask.index_put_({place, 19 - place}, true);
      const auto pixels = reshaped(cube, {zoom}).mask.sum().item<int>();
      EXPECT_GE(pixels, 1);
      EXPECT_LE(pixels, zoom < 1 ? 1 : 4);
    }
  }
}

TEST(Reshaped, ScalesTheAreaOfALargeDefect) {
  auto cube = flat_cube(50, 50);
  cube.mask.slice(0, 10, 30).slice(1, 10, 40).fill_(true);
  for (const double zoom : {0.6, 1.6}) {
    const auto area = reshaped(cube, {zoom}).mask.sum().item<double>();
    EXPECT_NEAR(area / (zoom * zoom), 600, 60);
  }
}

TEST(Reshaped, LeavesNoPixelOutAtTheSmallestSize) {
  const auto zoomed = reshaped(flat_cube(3, 3), {0.1});
  EXPECT_EQ(zoomed.values.sizes(), torch::IntArrayRef({3, 1, 1}));
  EXPECT_NEAR(zoomed.values.mean().item<double>(), 7, 1e-5);
}

TEST(Reshaped, RefusesWhatCannotBe) {
  HYPERDEFECT_EXPECT_ERROR(reshaped(flat_cube(3, 3), {0.0}), UsageError,
                           "transform: zoom is 0; allowed: 1/64 to 64");
  auto cube = flat_cube(3, 3);
  cube.mask = torch::zeros({3, 4}, torch::kBool);
  EXPECT_THROW(reshaped(cube, {}), c10::Error);
  cube = flat_cube(3, 3);
  cube.bands.count = 4;
  EXPECT_THROW(reshaped(cube, {}), c10::Error);
}

TEST(Disturbed, LeavesACubeAsItIsUnlessAsked) {
  const auto cube = numbered_cube();
  expect_equal(disturbed(cube, {}, 1), cube);
}

TEST(Disturbed, CopiesTheValues) {
  const auto cube = flat_cube(8, 8);
  Disturbance disturbance;
  disturbance.saturated = disturbance.noise_bands = disturbance.missing = 0.5;
  disturbed(cube, disturbance, 1);
  expect_equal(cube, flat_cube(8, 8));
}

TEST(Disturbed, MultipliesByGainAndTilt) {
  Disturbance disturbance;
  disturbance.gain = 0.8;
  disturbance.tilt = 0.05;
  const auto spectrum = disturbed(flat_cube(2, 2, 100), disturbance, 1).values.select(2, 0).select(1, 0);
  EXPECT_TRUE(spectrum.allclose(torch::tensor({76.0F, 80.0F, 84.0F})));
}

TEST(Disturbed, ReversesTheBandsWithTheirWavelengths) {
  const auto cube = numbered_cube();
  Disturbance disturbance;
  disturbance.reverse_bands = true;
  const auto reversed = disturbed(cube, disturbance, 1);
  EXPECT_EQ(reversed.values[0][0][0].item<float>(), 105);
  EXPECT_EQ(reversed.bands.wavelengths_nm, (std::vector<double>{800, 700, 600, 500}));
  EXPECT_EQ(reversed.bands.fwhm_nm, (std::vector<double>{4, 3, 2, 1}));
  EXPECT_EQ(reversed.bands.good, (std::vector<bool>{false, true, true, true}));
  expect_equal(disturbed(reversed, disturbance, 1), cube);
}

TEST(Disturbed, LosesPixelsAndTheirTruth) {
  auto cube = flat_cube(40, 50);
  cube.mask.fill_(true);
  cube.valid.slice(0, 0, 20).fill_(false);
  Disturbance disturbance;
  disturbance.missing = 0.05;
  const auto result = disturbed(cube, disturbance, 1);
  EXPECT_EQ(result.valid.sum().item<int>(), 950);
  EXPECT_FALSE(result.valid.slice(0, 0, 20).any().item<bool>());
  EXPECT_EQ(result.mask.slice(0, 20).sum().item<int>(), 950);
  EXPECT_EQ(disturbed(flat_cube(3, 3), disturbance, 1).valid.sum().item<int>(), 8);
}

TEST(Disturbed, SaturatesAtTheHighestValueOfTheCube) {
  auto cube = flat_cube(40, 50, 1);
  cube.values.index_put_({1, 3, 3}, 9);
  Disturbance disturbance;
  disturbance.saturated = 0.01;
  const auto result = disturbed(cube, disturbance, 1);
  EXPECT_NEAR((result.values == 9).all(0).sum().item<int>(), 20, 1);
  EXPECT_TRUE(result.valid.all().item<bool>());
}

TEST(Disturbed, ReplacesBandsByNoiseOfTheirSize) {
  auto cube = flat_cube(60, 60);
  const auto slope = torch::linspace(-1, 1, 60).view({1, 60, 1});
  cube.values = 10 + slope.expand({3, 60, 60}).clone();
  Disturbance disturbance;
  disturbance.noise_bands = 0.3;
  const auto values = disturbed(cube, disturbance, 1).values;
  const auto changed = (values - cube.values).abs().amax({1, 2}) > 0.1;
  ASSERT_EQ(changed.sum().item<int>(), 1);
  const auto noise = values.index({changed});
  EXPECT_NEAR(noise.mean().item<double>(), 10, 0.05);
  EXPECT_NEAR(noise.std().item<double>(), cube.values.std().item<double>(), 0.05);
}

TEST(Disturbed, DrawsEachDisturbanceByItself) {
  Disturbance disturbance;
  disturbance.missing = 0.2;
  const auto alone = disturbed(flat_cube(20, 20), disturbance, 3);
  expect_equal(disturbed(flat_cube(20, 20), disturbance, 3), alone);
  EXPECT_FALSE(disturbed(flat_cube(20, 20), disturbance, 4).valid.equal(alone.valid));
  disturbance.saturated = 0.2;
  EXPECT_TRUE(disturbed(flat_cube(20, 20), disturbance, 3).valid.equal(alone.valid));
}

TEST(Disturbed, WorksOnACubeWithoutValidPixels) {
  auto cube = flat_cube(3, 3, std::nan(""));
  cube.valid.fill_(false);
  Disturbance disturbance;
  disturbance.saturated = disturbance.noise_bands = disturbance.missing = 1;
  EXPECT_FALSE(disturbed(cube, disturbance, 1).valid.any().item<bool>());
}

TEST(Disturbed, SaysWhatIsOutOfRange) {
  const auto refused = [](Disturbance disturbance, const std::string& message) {
    HYPERDEFECT_EXPECT_ERROR(disturbed(flat_cube(3, 3), disturbance, 1), UsageError, message);
  };
  Disturbance disturbance;
  disturbance.gain = 0;
  refused(disturbance, "transform: gain is 0; allowed: more than 0");
  disturbance = {};
  disturbance.tilt = 1;
  refused(disturbance, "transform: tilt is 1; allowed: more than -1 and less than 1");
  disturbance = {};
  disturbance.noise_bands = -1;
  refused(disturbance, "transform: noise_bands is -1; allowed: 0 to 1");
  disturbance = {};
  disturbance.saturated = 2;
  refused(disturbance, "transform: saturated is 2; allowed: 0 to 1");
  disturbance = {};
  disturbance.missing = 1.5;
  refused(disturbance, "transform: missing is 1.5; allowed: 0 to 1");
}

}  // namespace
}  // namespace hyperdefect::synthetic
