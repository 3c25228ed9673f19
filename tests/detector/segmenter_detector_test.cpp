// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/segmenter/segmenter_detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

DetectorOptions tiny() {
  return test::tiny_options("segmenter");
}

TEST(SegmenterDetector, FindsAnObjectThatItNeverSawLabelled) {
  auto scene = test::whole_block(test::smooth_scene(8, {40, 40}, 3));
  scene.values.narrow(1, 20, 2).narrow(2, 9, 2).slice(0, 2, 5).add_(0.1);
  const auto pipeline = test::prepared(tiny(), scene);
  test::train(*pipeline, scene, 80);
  test::calibrate(*pipeline, {{scene}});
  const auto score = test::scored(*pipeline, scene).score;
  const auto inside = score.narrow(0, 20, 2).narrow(1, 9, 2).min().item<float>();
  EXPECT_LE(score.gt(inside).sum().item<std::int64_t>(), 20) << inside;
  EXPECT_NEAR(score.mean().item<double>(), 1.0, 0.05);
}

TEST(SegmenterDetector, ScoresWithStatisticsOfTheScene) {
  const auto scene = test::whole_block(test::smooth_scene(6, {40, 40}, 3));
  const auto pipeline = test::prepared(tiny(), scene);
  test::train(*pipeline, scene, 2);
  test::calibrate(*pipeline, {{scene}});
  const auto wanted = test::scored(*pipeline, scene).score;
  int shifted = 0;
  for (const auto& buffer : pipeline->named_buffers()) {
    if (buffer.key().find("running_mean") != std::string::npos) {
      buffer.value().add_(3.0);
      ++shifted;
    }
  }
  EXPECT_GT(shifted, 0);
  test::calibrate(*pipeline, {{scene}});
  EXPECT_TRUE(torch::equal(test::scored(*pipeline, scene).score, wanted));
}

TEST(SegmenterDetector, LearnsWithTheSameNumbersAfterEachBeginning) {
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 24}, 3));
  const auto pipeline = test::prepared(tiny(), scene);
  const auto batch = test::batch_of(*pipeline, scene);
  auto& trainable = *pipeline->trainable();
  const auto loss = [&] {
    auto generator = test::seeded(4);
    trainable.begin_epoch();
    return test::loss_of(trainable, batch, generator).item<double>();
  };
  pipeline->train();
  const auto first = loss();
  auto generator = test::seeded(9);
  test::loss_of(trainable, batch, generator);
  EXPECT_EQ(loss(), first);
}

TEST(SegmenterDetector, ItsNetworksTakeTurns) {
  auto options = tiny();
  options.of<SegmenterOptions>().networks = 3;
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 24}, 3));
  const auto losses_of = [&](double step_fraction, int steps) {
    options.of<SegmenterOptions>().step_fraction = step_fraction;
    const auto pipeline = test::prepared(options, scene);
    const auto batch = test::batch_of(*pipeline, scene);
    auto generator = test::seeded(4);
    pipeline->train();
    pipeline->trainable()->begin_epoch();
    std::vector<std::size_t> counts;
    for (int i = 0; i < steps; ++i) {
      // One that only prepares examples for later steps returns no tensor.
      const auto losses = pipeline->trainable()->losses(batch, generator);
      counts.push_back(static_cast<std::size_t>(
          std::count_if(losses.begin(), losses.end(), [](const Loss& loss) { return loss().defined(); })));
    }
    return counts;
  };
  EXPECT_EQ(losses_of(1.0, 2), (std::vector<std::size_t>{3, 3}));
  EXPECT_EQ(losses_of(0.5, 4), (std::vector<std::size_t>{2, 1, 2, 1}));
  EXPECT_EQ(losses_of(0.25, 4), (std::vector<std::size_t>{1, 1, 0, 1}));
}

TEST(SegmenterDetector, OnlyTheNetworksLearnNotTheirAverages) {
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 24}, 3));
  const auto pipeline = test::prepared(tiny(), scene);
  const auto before = test::state_of(*pipeline);
  test::train(*pipeline, scene, 1);
  const auto after = test::state_of(*pipeline);
  const auto& old_weight = before.at("detector.network0.head.weight");
  EXPECT_FALSE(torch::equal(after.at("detector.network0.head.weight"), old_weight));
  EXPECT_TRUE(torch::equal(after.at("detector.average0.head.weight"), old_weight))
      << "the first step's average is the weights before it";
}

TEST(SegmenterDetector, TilingDoesNotChangeTheScores) {
  const Size size{20, 1300};
  auto scene = test::whole_block(test::smooth_scene(6, size, 5));
  scene.valid.narrow(0, 3, 6).narrow(1, 640, 9).fill_(false);
  scene.values.narrow(1, 3, 6).narrow(2, 640, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto pipeline = test::prepared(tiny(), scene);
  test::train(*pipeline, scene, 2);
  test::calibrate(*pipeline, {{scene}});
  test::expect_same_in_tiles(*pipeline, scene, 20 * 1000, 2, 1e-4);
}

TEST(SegmenterDetector, StateCarriesAllThatScoringNeeds) {
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 20}, 3));
  const auto pipeline = test::prepared(tiny(), scene);
  test::train(*pipeline, scene, 3);
  test::calibrate(*pipeline, {{scene}});
  const auto other = test::pipeline_for(tiny(), test::regular_bands(6));
  test::load_state(*other, test::state_of(*pipeline));
  const auto maps = test::scored(*other, scene);
  const auto wanted = test::scored(*pipeline, scene);
  EXPECT_TRUE(torch::equal(maps.score, wanted.score));
  EXPECT_TRUE(torch::equal(maps.sad_rad, wanted.sad_rad));
}

TEST(SegmenterDetector, ManagesOneBandAndOnePixel) {
  for (const auto& values : {test::smooth_scene(1, {16, 16}, 3), test::smooth_scene(6, {2, 1}, 3)}) {
    const auto scene = test::whole_block(values);
    const auto pipeline = test::prepared(tiny(), scene);
    test::train(*pipeline, scene, 2);
    test::calibrate(*pipeline, {{scene}});
    const auto score = test::scored(*pipeline, scene).score;
    EXPECT_GE(score.min().item<float>(), 0.0F);
    EXPECT_NEAR(score.mean().item<double>(), 1.0, 0.05);
  }
}

TEST(SegmenterDetector, LearnsFromNothingOnlyAnError) {
  auto nothing = test::whole_block(torch::zeros({6, 16, 16}));
  nothing.valid.fill_(false);
  const auto pipeline = test::pipeline_for(tiny(), test::regular_bands(6));
  pipeline->accumulate(pipeline->preprocessed(nothing));
  HYPERDEFECT_EXPECT_ERROR(pipeline->finalise(), InputError, "too few valid pixels to learn from: 0");
}

TEST(SegmenterDetector, SummaryNamesItsNetworks) {
  const auto page = test::pipeline_for(tiny(), test::regular_bands(6))->summary();
  EXPECT_NE(page.find("segmenter: 1 network, 2 sign augmentations each"), std::string::npos) << page;
  EXPECT_NE(page.find("multiply-adds per pixel"), std::string::npos) << page;
}

}  // namespace
}  // namespace hyperdefect::detector
