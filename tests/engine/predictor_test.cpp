// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/predictor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "hyperdefect/core/error.h"
#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/engine/sources.h"
#include "support/expect_error.h"
#include "support/fits.h"
#include "support/memory_blocks.h"
#include "support/module_checks.h"

namespace hyperdefect::engine {
namespace {

constexpr std::int64_t kMegabyte = 1 << 20;

/// A small halo and no attention, so that a megabyte forces many windows.
std::shared_ptr<detector::Pipeline> small_pipeline(test::MemoryBlocks& cube) {
  auto options = test::tiny_options();
  auto& autoencoder = options.of<detector::AutoencoderOptions>();
  autoencoder.network.features = {8, 8};
  autoencoder.network.heads = 0;
  autoencoder.score.inference = detector::Inference::plain;
  return test::fitted(options, cube.read(whole(cube.size())));
}

/// Remembers how many windows were scored of how many.
struct WindowCounter : ProgressMonitor {
  void progress(const Progress& progress) override {
    if (progress.task == "score") {
      done = progress.done;
      total = progress.total;
    }
  }
  std::int64_t done = 0;
  std::int64_t total = 0;
};

TEST(Predict, DoesNotDependOnTheWindows) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto pipeline = small_pipeline(*cube);
  ASSERT_EQ(plan_for(*pipeline, *cube, 4096).size(), 1U);
  ASSERT_GT(plan_for(*pipeline, *cube, 1).size(), 4U);
  ProgressMonitor monitor;
  const auto whole_maps = predict(*pipeline, *cube, 4096, monitor);
  const auto windowed = predict(*pipeline, *cube, 1, monitor);
  const auto scored = pipeline->score(pipeline->preprocessed(cube->read(whole(cube->size()))));
  EXPECT_TRUE(torch::equal(whole_maps.score, scored.score));
  EXPECT_NEAR(whole_maps.score.mean().item<double>(), 1.0, 1e-5)
      << "scores of the calibration's cube average 1";
  test::expect_close(windowed.score, whole_maps.score, 1e-5);
  test::expect_close(windowed.sad_rad, whole_maps.sad_rad, 1e-5);
  EXPECT_TRUE(torch::equal(windowed.valid, whole_maps.valid));
}

TEST(Predict, OneDetectorServesSeveralThreads) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto pipeline = small_pipeline(*cube);
  const auto score_of = [&pipeline](std::uint64_t seed) {
    auto other = test::smooth_cube(6, {70, 45}, seed);
    ProgressMonitor monitor;
    return predict(*pipeline, *other, 1, monitor).score;
  };
  const auto first = score_of(2);
  const auto second = score_of(3);
  auto one = std::async(std::launch::async, score_of, 2);
  auto other = std::async(std::launch::async, score_of, 3);
  test::expect_close(one.get(), first, 1e-5);
  test::expect_close(other.get(), second, 1e-5);
}

TEST(Predict, GoesThroughThePlan) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto pipeline = small_pipeline(*cube);
  for (const std::int64_t ram_mb : {1, 2, 4096}) {
    const auto windows = static_cast<std::int64_t>(plan_for(*pipeline, *cube, ram_mb).size());
    WindowCounter monitor;
    predict(*pipeline, *cube, ram_mb, monitor);
    EXPECT_EQ(monitor.total, windows);
    EXPECT_EQ(monitor.done, windows);
  }
}

TEST(Predict, PlansWithinTheMemory) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto pipeline = small_pipeline(*cube);
  // Four copies of the cube's bands, beside what the detector takes.
  const auto bytes = pipeline->bytes_per_pixel() + 4 * 6 * static_cast<std::int64_t>(sizeof(float));
  auto kept = torch::zeros({70, 45}, torch::kLong);
  std::int64_t largest = 0;
  for (const auto& [read, write] : plan_for(*pipeline, *cube, 1)) {
    largest = std::max(largest, read.pixels() * bytes);
    image::crop(kept, write).add_(1);
  }
  EXPECT_LE(largest, kMegabyte);
  EXPECT_GT(largest, kMegabyte / 2) << "memory is not left unused";
  EXPECT_TRUE(kept.eq(1).all().item<bool>());
}

TEST(Predict, PlansForWhatHasToBeSeenAroundAPixel) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto pipeline = small_pipeline(*cube);
  const auto field = pipeline->receptive_field();
  const auto plan = plan_for(*pipeline, *cube, 1);
  const auto same = plan_for(*pipeline, *cube, 1, field);
  ASSERT_EQ(plan.size(), same.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].read, same[i].read);
    EXPECT_EQ(plan[i].write, same[i].write);
    EXPECT_LE(plan[i].read.row, std::max<std::int64_t>(0, plan[i].write.row - field.halo));
    EXPECT_GE(plan[i].read.end_row(), std::min<std::int64_t>(70, plan[i].write.end_row() + field.halo));
    EXPECT_EQ(plan[i].read.row % field.alignment, 0);
  }
  EXPECT_LT(plan_for(*pipeline, *cube, 1, {1, 0}).size(), plan.size());
}

TEST(Predict, SaysWhereMemoryHoldsNoWindow) {
  auto cube = test::smooth_cube(6, {200, 200}, 1);
  auto config = test::tiny_config();
  config.detector.of<detector::AutoencoderOptions>().network.features = {8, 8, 8, 8};
  const auto pipeline = test::pipeline_of(config, 6);
  HYPERDEFECT_EXPECT_ERROR(plan_for(*pipeline, *cube, 1), Error, "not enough memory for one window");
}

TEST(Predict, StopsWhereItIsAsked) {
  auto cube = test::smooth_cube(6, {70, 45}, 1);
  const auto pipeline = small_pipeline(*cube);
  test::StopAfter monitor("score", 2);
  HYPERDEFECT_EXPECT_ERROR(predict(*pipeline, *cube, 1, monitor), Interrupted, "stopped while scoring cube");
}

TEST(Predict, RefusesACubeThatDoesNotMatch) {
  const auto pipeline = small_pipeline(*test::smooth_cube(6, {16, 16}, 1));
  auto other = test::smooth_cube(5, {16, 16}, 1);
  ProgressMonitor monitor;
  HYPERDEFECT_EXPECT_ERROR(predict(*pipeline, *other, 64, monitor), ModelError,
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
