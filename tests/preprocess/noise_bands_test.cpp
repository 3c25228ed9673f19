// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/noise_bands.h"

#include <gtest/gtest.h>

#include "support/memory_blocks.h"

namespace hyperdefect::preprocess {
namespace {

using Numbers = std::vector<std::int64_t>;

/// A cube whose bands of these numbers hold nothing but noise, of about the deviation of the others.
std::shared_ptr<BlockSource> cube_with_noise(const Numbers& bands, std::int64_t count = 8,
                                             Size size = {60, 50}) {
  auto values = test::smooth_scene(count, size, 1);
  auto generator = test::seeded(2);
  for (const auto band : bands) {
    values[band].copy_(0.5 + 0.05 * torch::randn({size.rows, size.cols}, generator, torch::kFloat));
  }
  return test::memory_blocks(values);
}

Numbers dropped(const std::vector<std::shared_ptr<BlockSource>>& sources, PreprocessOptions options = {}) {
  options.max_noise_fraction = 0.8;
  return without_noise_bands(options, sources).drop_bands;
}

TEST(NoiseBands, AreLeftOut) {
  EXPECT_EQ(dropped({cube_with_noise({})}), Numbers{});
  EXPECT_EQ(dropped({cube_with_noise({2, 5, 6})}), (Numbers{2, 5, 6}));
}

TEST(NoiseBands, StayIfTheLimitIsOne) {
  EXPECT_EQ(without_noise_bands({}, {cube_with_noise({2})}).drop_bands, Numbers{});
}

TEST(NoiseBands, AreCountedInTheWholeCube) {
  PreprocessOptions options;
  options.drop_bands = {0, 3};
  EXPECT_EQ(dropped({cube_with_noise({2, 6})}, options), (Numbers{0, 3, 2, 6}));
}

TEST(NoiseBands, AllStayIfMostAreNoise) {
  EXPECT_EQ(dropped({cube_with_noise({0, 1, 2, 3, 5})}), Numbers{});
}

TEST(NoiseBands, AreThoseOfAllCubes) {
  // A band that shows something in one of two cubes is no noise.
  EXPECT_EQ(dropped({cube_with_noise({0, 5}), cube_with_noise({5})}), Numbers{5});
}

TEST(NoiseBands, AreFoundInTilesOfLargeCubes) {
  EXPECT_EQ(dropped({cube_with_noise({1}, 3, {300, 520})}), Numbers{1});
}

TEST(NoiseBands, OfACubeThatDoesNotMatchAreAnothersTrouble) {
  EXPECT_EQ(dropped({cube_with_noise({2}), cube_with_noise({}, 5)}), Numbers{2});
}

}  // namespace
}  // namespace hyperdefect::preprocess
