// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/segmenter_detector.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

using DetectorPtr = std::shared_ptr<SegmenterDetector>;

DetectorPtr detector_for(std::int64_t bands, std::uint64_t seed = 1,
                         const DetectorOptions& options = test::tiny_options()) {
  torch::manual_seed(seed);
  auto detector = std::make_shared<SegmenterDetector>(options, test::regular_bands(bands));
  detector->to(test::test_device());
  detector->bind(detector->bands());
  return detector;
}

DetectorPtr prepared(const spectral::Block& scene, const DetectorOptions& options = test::tiny_options()) {
  auto detector = detector_for(scene.values.size(0), 1, options);
  do {
    detector->observe(scene);
  } while (detector->finish());
  return detector;
}

void calibrate(SegmenterDetector& detector, const spectral::Block& scene) {
  const torch::NoGradGuard no_gradient;
  detector.eval();
  detector.calibrate(scene);
  detector.finish_calibration();
}

Batch batch_of(const SegmenterDetector& detector, const spectral::Block& scene) {
  const auto block = detector.prepare(scene);
  return {block.values.unsqueeze(0), block.valid.unsqueeze(0)};
}

void train(SegmenterDetector& detector, const spectral::Block& scene, int steps) {
  std::vector<torch::Tensor> trained;
  for (const auto& parameter : detector.parameters()) {
    if (parameter.requires_grad()) {
      trained.push_back(parameter);
    }
  }
  torch::optim::AdamW optimizer(trained, torch::optim::AdamWOptions(0.01));
  auto generator = test::seeded(4);
  const auto batch = batch_of(detector, scene);
  detector.train();
  detector.begin_epoch();
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    test::loss_of(detector, batch, generator).backward();
    optimizer.step();
  }
  detector.eval();
}

ScoreMaps scored(SegmenterDetector& detector, const spectral::Block& block) {
  const torch::NoGradGuard no_gradient;
  return detector.score(block);
}

TEST(SegmenterDetector, FindsAnObjectThatItNeverSawLabelled) {
  auto scene = test::whole_block(test::smooth_scene(8, {40, 40}, 3));
  scene.values.narrow(1, 20, 2).narrow(2, 9, 2).slice(0, 2, 5).add_(0.1);
  const auto detector = prepared(scene);
  train(*detector, scene, 80);
  calibrate(*detector, scene);
  const auto score = scored(*detector, scene).score;
  const auto inside = score.narrow(0, 20, 2).narrow(1, 9, 2).min().item<float>();
  EXPECT_LE(score.gt(inside).sum().item<std::int64_t>(), 20) << inside;
  EXPECT_NEAR(score.mean().item<double>(), 1.0, 0.05);
}

TEST(SegmenterDetector, ScoresWithStatisticsOfTheScene) {
  const auto scene = test::whole_block(test::smooth_scene(6, {40, 40}, 3));
  const auto detector = prepared(scene);
  train(*detector, scene, 2);
  calibrate(*detector, scene);
  const auto wanted = scored(*detector, scene).score;
  for (const auto& buffer : detector->named_buffers()) {
    if (buffer.key().find("running_mean") != std::string::npos) {
      buffer.value().add_(3.0);
    }
  }
  calibrate(*detector, scene);
  EXPECT_TRUE(torch::equal(scored(*detector, scene).score, wanted));
}

TEST(SegmenterDetector, LearnsWithTheSameNumbersAfterEachBeginning) {
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 24}, 3));
  const auto detector = prepared(scene);
  const auto batch = batch_of(*detector, scene);
  const auto loss = [&] {
    auto generator = test::seeded(4);
    detector->begin_epoch();
    return test::loss_of(*detector, batch, generator).item<double>();
  };
  detector->train();
  const auto first = loss();
  auto generator = test::seeded(9);
  test::loss_of(*detector, batch, generator);
  EXPECT_EQ(loss(), first);
}

TEST(SegmenterDetector, ItsNetworksTakeTurns) {
  auto options = test::tiny_options();
  options.segmenter.networks = 3;
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 24}, 3));
  const auto losses_of = [&](double share, int steps) {
    options.segmenter.share = share;
    const auto detector = prepared(scene, options);
    const auto batch = batch_of(*detector, scene);
    auto generator = test::seeded(4);
    detector->begin_epoch();
    std::vector<std::size_t> counts;
    for (int i = 0; i < steps; ++i) {
      counts.push_back(detector->losses(batch, generator).size());
    }
    return counts;
  };
  EXPECT_EQ(losses_of(1.0, 2), (std::vector<std::size_t>{3, 3}));
  EXPECT_EQ(losses_of(0.5, 4), (std::vector<std::size_t>{2, 1, 2, 1}));
  EXPECT_EQ(losses_of(0.25, 4), (std::vector<std::size_t>{1, 1, 0, 1}));
}

TEST(SegmenterDetector, OnlyTheNetworksLearnNotTheirAverages) {
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 24}, 3));
  const auto detector = prepared(scene);
  const auto before = state_of(*detector);
  std::map<std::string, torch::Tensor> old;
  for (const auto& [name, tensor] : before) {
    old[name] = tensor.detach().clone();
  }
  train(*detector, scene, 1);
  const auto after = state_of(*detector);
  EXPECT_FALSE(torch::equal(after.at("network0.head.weight"), old.at("network0.head.weight")));
  EXPECT_TRUE(torch::equal(after.at("average0.head.weight"), old.at("network0.head.weight")))
      << "the first step's average is the weights before it";
}

TEST(SegmenterDetector, TilingDoesNotChangeTheScores) {
  const Size size{20, 1300};
  auto scene = test::whole_block(test::smooth_scene(6, size, 5));
  scene.valid.narrow(0, 3, 6).narrow(1, 640, 9).fill_(false);
  scene.values.narrow(1, 3, 6).narrow(2, 640, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto detector = prepared(scene);
  train(*detector, scene, 2);
  calibrate(*detector, scene);
  test::expect_same_in_tiles(*detector, scene, 20 * 1000, 2, 1e-4);
}

TEST(SegmenterDetector, StateCarriesAllThatScoringNeeds) {
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 20}, 3));
  const auto detector = prepared(scene);
  train(*detector, scene, 3);
  calibrate(*detector, scene);
  const auto other = detector_for(6, 99);
  other->eval();
  load_state(*other, state_of(*detector), "a test");
  const auto maps = scored(*other, scene);
  EXPECT_TRUE(torch::equal(maps.score, scored(*detector, scene).score));
  EXPECT_GE(maps.sad_rad.min().item<float>(), 0.0F);
}

TEST(SegmenterDetector, ManagesOneBandAndOnePixel) {
  for (const auto& values : {test::smooth_scene(1, {16, 16}, 3), test::smooth_scene(6, {2, 1}, 3)}) {
    const auto scene = test::whole_block(values);
    const auto detector = prepared(scene);
    train(*detector, scene, 2);
    calibrate(*detector, scene);
    EXPECT_TRUE(torch::isfinite(scored(*detector, scene).score).all().item<bool>());
  }
}

TEST(SegmenterDetector, LearnsFromNothingOnlyAnError) {
  auto nothing = test::whole_block(torch::zeros({6, 16, 16}));
  nothing.valid.fill_(false);
  const auto detector = detector_for(6);
  detector->observe(nothing);
  HYPERDEFECT_EXPECT_ERROR(detector->finish(), InputError, "too few valid pixels to learn from: 0");
}

TEST(SegmenterDetector, SummaryNamesItsNetworks) {
  const auto page = detector_for(6)->summary();
  EXPECT_NE(page.find("segmenter: 1 network, 2 looks each"), std::string::npos) << page;
  EXPECT_NE(page.find("multiply-adds a pixel"), std::string::npos) << page;
}

}  // namespace
}  // namespace hyperdefect::model
