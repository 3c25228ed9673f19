// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/band_picker.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/scenes.h"

namespace hyperdefect::preprocess {
namespace {

/// (bands, 1, 1): each band's number.
torch::Tensor numbered(std::int64_t bands) {
  return torch::arange(bands, torch::kFloat).view({-1, 1, 1});
}

std::vector<float> picked(const spectral::Bands& cube, const spectral::Bands& model,
                          const PreprocessOptions& options) {
  const auto values = BandPicker(cube, model, options).of(numbered(cube.count)).flatten();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

TEST(BandsInUse, LeaveOutWhatTheCubeAndTheOptionsMark) {
  auto cube = test::regular_bands(6);
  cube.good = {true, false, true, true, true, true};
  PreprocessOptions options;
  options.drop_bands = {3};
  options.max_wavelength_nm = 445.0;
  const auto used = bands_in_use(cube, options);
  EXPECT_EQ(used.wavelengths_nm, (std::vector<double>{400, 420, 440}));
  options.use_bad_band_list = false;
  EXPECT_EQ(bands_in_use(cube, options).count, 4);
}

TEST(BandsInUse, RefusesToLeaveNone) {
  PreprocessOptions options;
  options.drop_bands = {0, 1};
  HYPERDEFECT_EXPECT_ERROR(bands_in_use(test::regular_bands(2), options), InputError,
                           "no band is left of the cube's 2: check its bad band list (bbl)");
}

TEST(BandPicker, MatchesByWavelength) {
  const auto cube = test::regular_bands(6);
  const spectral::Bands model{2, {430.2, 409.9}, {}, {}};
  EXPECT_EQ(picked(cube, model, {}), (std::vector<float>{3, 1}));
}

TEST(BandPicker, TakesTheBandsThatTheModelWasMadeForEvenIfOthersHaveTheirWavelength) {
  const spectral::Bands cube{5, {400, 410, 410, 420, 420}, {}, {true, true, true, false, true}};
  PreprocessOptions options;
  options.drop_bands = {1};
  const auto model = bands_in_use(cube, options);
  EXPECT_EQ(picked(cube, model, options), (std::vector<float>{0, 2, 4}));
  EXPECT_EQ(BandPicker(cube, model, options).bands_read(),
            (std::vector<bool>{true, false, true, false, true}));
}

TEST(BandPicker, TakesAMarkedBandWhereTheModelKnowsIt) {
  auto cube = test::regular_bands(3);
  cube.good = {true, false, true};
  const spectral::Bands model{2, {410, 420}, {}, {}};
  EXPECT_EQ(picked(cube, model, {}), (std::vector<float>{1, 2}));
}

TEST(BandPicker, InterpolatesWhereItIsAskedTo) {
  const spectral::Bands model{1, {412.5}, {}, {}};
  PreprocessOptions options;
  options.interpolate = true;
  EXPECT_EQ(picked(test::regular_bands(3), model, options), (std::vector<float>{1.25F}));
}

TEST(BandPicker, GoesByNumberWithoutWavelengths) {
  const spectral::Bands cube{5, {}, {}, {true, false, true, true, true}};
  PreprocessOptions options;
  options.drop_bands = {0};
  EXPECT_EQ(picked(cube, bands_in_use(cube, options), options), (std::vector<float>{2, 3, 4}));
  EXPECT_EQ(picked({3, {}, {}, {}}, {3, {}, {}, {}}, {}), (std::vector<float>{0, 1, 2}));
  // A cube that states no wavelengths for a model that has some.
  EXPECT_EQ(picked(cube, spectral::Bands{3, {400, 410, 420}, {}, {}}, options),
            (std::vector<float>{2, 3, 4}));
}

TEST(BandPicker, TakesABlockAsItLies) {
  auto scene = test::whole_block(test::smooth_scene(3, {6, 5}, 1));
  scene.cube = 2;
  const auto block = test::cut(scene, {1, 2, 4, 3});
  const auto picked = BandPicker(test::regular_bands(3), {1, {420}, {}, {}}, {}).of(block);
  EXPECT_TRUE(torch::equal(picked.values, block.values.narrow(0, 2, 1)));
  EXPECT_TRUE(torch::equal(picked.valid, block.valid));
  EXPECT_EQ(picked.window, block.window);
  EXPECT_EQ(picked.image, block.image);
  EXPECT_EQ(picked.cube, 2);
}

TEST(BandPicker, NamesWhatDoesNotMatch) {
  const spectral::Bands model{2, {400, 455}, {}, {}};
  HYPERDEFECT_EXPECT_ERROR(BandPicker(test::regular_bands(4), model, {}), ModelError,
                           "the cube lacks 1 band of the model: 455 nm");
  HYPERDEFECT_EXPECT_ERROR(BandPicker({4, {}, {}, {}}, model, {}), ModelError,
                           "the cube has 4 bands and the model 2");
}

}  // namespace
}  // namespace hyperdefect::preprocess
