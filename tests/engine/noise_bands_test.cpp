// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/noise_bands.h"

#include <gtest/gtest.h>

#include "hyperdefect/engine/fit.h"
#include "support/memory_cubes.h"

namespace hyperdefect::engine {
namespace {

using Numbers = std::vector<std::int64_t>;

/// A cube whose bands of these numbers hold nothing but noise, of about the deviation of the others.
std::shared_ptr<MemorySource> cube_with_noise(const Numbers& bands, std::int64_t count = 8,
                                              Size size = {60, 50}) {
  auto values = test::smooth_scene(count, size, 1);
  auto generator = test::seeded(2);
  for (const auto band : bands) {
    values[band].copy_(0.5 + 0.05 * torch::randn({size.rows, size.cols}, generator, torch::kFloat));
  }
  return test::memory_cube(values);
}

Numbers dropped(const std::vector<std::shared_ptr<model::BlockSource>>& sources,
                model::PreprocessOptions options = {}) {
  options.noise_limit = 0.8;
  return without_noise_bands(options, sources).drop_bands;
}

TEST(NoiseBands, AreLeftOut) {
  EXPECT_EQ(dropped({cube_with_noise({})}), Numbers{});
  EXPECT_EQ(dropped({cube_with_noise({2, 5, 6})}), (Numbers{2, 5, 6}));
}

TEST(NoiseBands, StayWhereTheLimitIsOne) {
  EXPECT_EQ(without_noise_bands({}, {cube_with_noise({2})}).drop_bands, Numbers{});
}

TEST(NoiseBands, AreCountedInTheWholeCube) {
  model::PreprocessOptions options;
  options.drop_bands = {0, 3};
  EXPECT_EQ(dropped({cube_with_noise({2, 6})}, options), (Numbers{0, 3, 2, 6}));
}

TEST(NoiseBands, AllStayWhereMostAreNoise) {
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

TEST(NoiseBands, LeftOutByThemselvesOrByNameMakeTheSameDetector) {
  auto config = test::tiny_config();
  config.preprocess.components = 4;
  auto named = config;
  config.preprocess.noise_limit = 0.8;
  named.preprocess.drop_bands = {2, 5};
  Observer observer;
  const auto cube = cube_with_noise({2, 5});
  const auto found = fit_scene(*cube, config, 1, observer);
  const auto given = fit_scene(*cube, named, 1, observer);
  EXPECT_EQ(found.detector->bands().count, 6);
  EXPECT_EQ(found.config.preprocess.drop_bands, named.preprocess.drop_bands);
  const auto block = cube->read(whole(cube->size()));
  found.detector->bind(cube->bands());
  given.detector->bind(cube->bands());
  EXPECT_TRUE(torch::equal(found.detector->score(block).score, given.detector->score(block).score));
}

}  // namespace
}  // namespace hyperdefect::engine
