// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/predictor.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/engine/fit.h"
#include "support/expect_error.h"
#include "support/memory_cubes.h"
#include "support/module_checks.h"

namespace hyperdefect::engine {
namespace {

/// A small halo and no attention, so that a megabyte forces many windows.
std::shared_ptr<model::Detector> small_detector(const std::shared_ptr<MemorySource>& cube) {
  auto config = test::tiny_config();
  config.model.features = {8, 8};
  config.model.heads = 0;
  config.score.passes = "plain";
  auto detector = test::detector_of(config, cube->bands().count);
  const torch::NoGradGuard no_gradient;
  detector->bind(cube->bands());
  detector->observe(cube->read(whole(cube->size())));
  detector->finish();
  detector->eval();
  return detector;
}

TEST(Predict, DoesNotDependOnTheWindows) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto detector = small_detector(cube);
  ASSERT_EQ(plan_for(*detector, *cube, 4096).size(), 1U);
  ASSERT_GT(plan_for(*detector, *cube, 1).size(), 4U);
  Observer observer;
  const auto whole_maps = predict(*detector, *cube, 4096, observer);
  const auto windowed = predict(*detector, *cube, 1, observer);
  EXPECT_TRUE(torch::isfinite(whole_maps.score).all().item<bool>());
  test::expect_close(windowed.score, whole_maps.score, 1e-5);
  test::expect_close(windowed.sad_rad, whole_maps.sad_rad, 1e-5);
  EXPECT_TRUE(torch::equal(windowed.valid, whole_maps.valid));
}

TEST(Predict, PlansWithinTheMemory) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto detector = small_detector(cube);
  const auto bytes = detector->bytes_per_pixel() + 6 * 4;
  for (const auto& window : plan_for(*detector, *cube, 1)) {
    EXPECT_LE(window.read.pixels() * bytes, 1 << 20);
  }
}

TEST(Predict, SaysWhereMemoryHoldsNoWindow) {
  auto cube = test::smooth_cube(6, {200, 200}, 1);
  auto config = test::tiny_config();
  config.model.features = {8, 8, 8, 8};
  const auto detector = test::detector_of(config, 6);
  HYPERDEFECT_EXPECT_ERROR(plan_for(*detector, *cube, 1), Error, "not enough memory for one window");
}

TEST(Predict, StopsWhereItIsAsked) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto detector = small_detector(cube);
  test::StopAfter observer("score", 2);
  HYPERDEFECT_EXPECT_ERROR(predict(*detector, *cube, 1, observer), Interrupted, "stopped while scoring cube");
}

TEST(Predict, RefusesACubeThatDoesNotMatch) {
  const auto detector = small_detector(test::smooth_cube(6, {16, 16}, 1));
  auto other = test::smooth_cube(5, {16, 16}, 1);
  Observer observer;
  HYPERDEFECT_EXPECT_ERROR(predict(*detector, *other, 64, observer), ModelError,
                           "the cube lacks 1 band of the model");
}

TEST(MemorySource, CopiesAnotherSource) {
  auto cube = test::smooth_cube(3, {8, 9}, 1);
  MemorySource copy(*cube);
  EXPECT_EQ(copy.name(), "cube");
  EXPECT_EQ(copy.size(), (Size{8, 9}));
  EXPECT_EQ(copy.bands(), cube->bands());
  const auto block = copy.read({2, 3, 4, 5});
  EXPECT_TRUE(torch::equal(block.values, cube->read({2, 3, 4, 5}).values));
  EXPECT_EQ(block.window, (Window{2, 3, 4, 5}));
  EXPECT_EQ(block.image, (Size{8, 9}));
}

}  // namespace
}  // namespace hyperdefect::engine
