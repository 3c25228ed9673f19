// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/noise_bands.h"

#include <gtest/gtest.h>

#include "hyperdefect/engine/fit.h"
#include "support/fits.h"

namespace hyperdefect::engine {
namespace {

TEST(NoiseBandsOfAFit, LeftOutByThemselvesOrByNameMakeTheSameDetector) {
  auto values = test::smooth_scene(8, {60, 50}, 1);
  auto generator = test::seeded(2);
  for (const std::int64_t band : {2, 5}) {
    values[band].copy_(0.5 + 0.05 * torch::randn({60, 50}, generator, torch::kFloat));
  }
  const auto scene = test::whole_block(values);
  const auto cube = test::memory_blocks(values);
  auto config = test::tiny_config();
  auto named = config;
  config.detector.preprocess.max_noise_fraction = 0.8;
  named.detector.preprocess.drop_bands = {2, 5};
  ProgressMonitor monitor;
  const auto found = fit_scene(*cube, config, 1, monitor).model;
  const auto given = fit_scene(*cube, named, 1, monitor).model;
  EXPECT_EQ(found.detector->bands().count, 6);
  EXPECT_EQ(found.config.detector.preprocess.drop_bands, named.detector.preprocess.drop_bands);
  EXPECT_TRUE(torch::equal(test::scored(*found.detector, scene, cube->bands()).score,
                           test::scored(*given.detector, scene, cube->bands()).score));
}

}  // namespace
}  // namespace hyperdefect::engine
