// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/rx_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/image/gaussian.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

/// Four pixels about the mean (5, 2) with sample covariance diag(8/3, 2/3), and an invalid one.
spectral::Block cross() {
  auto block =
      test::whole_block(torch::tensor({{{7.0F, 3.0F, 5.0F, 5.0F, 1e6F}}, {{2.0F, 2.0F, 3.0F, 1.0F, 1e6F}}}));
  block.valid[0][4] = false;
  return block;
}

DetectorOptions rx_options() {
  DetectorOptions options;
  options.name = "rx";
  return options;
}

test::PipelinePtr fitted(const spectral::Block& block, const DetectorOptions& options = rx_options()) {
  return test::fitted(options, block);
}

TEST(RxDetector, MatchesTheExampleByHand) {
  const auto maps = test::scored(*fitted(cross()), cross());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  // 2 / sqrt(8/3) and 1 / sqrt(2/3) are both sqrt(3/2).
  const float distance = std::sqrt(1.5F);
  EXPECT_TRUE(torch::allclose(maps.score, torch::tensor({{distance, distance, distance, distance, nan}}),
                              1e-6, 1e-6, true));
  const auto angle = [](double x, double y) {
    return static_cast<float>(std::abs(std::atan2(y, x) - std::atan2(2, 5)));
  };
  EXPECT_TRUE(torch::allclose(maps.sad_rad,
                              torch::tensor({{angle(7, 2), angle(3, 2), angle(5, 3), angle(5, 1), nan}}),
                              1e-6, 1e-6, true));
  EXPECT_TRUE(torch::equal(maps.valid, cross().valid));
}

TEST(RxDetector, PassMayBeSplitIntoBlocks) {
  const auto scene = test::whole_block(test::smooth_scene(3, {12, 10}, 1));
  const auto whole = fitted(scene);
  const auto split = test::pipeline_for(rx_options(), test::regular_bands(3));
  test::learn_statistics(*split, {{test::cut(scene, {0, 0, 5, 10})}, {test::cut(scene, {5, 0, 7, 10})}});
  test::expect_close(test::scored(*split, scene).score, test::scored(*whole, scene).score, 1e-5);
}

TEST(RxDetector, SaysThatTheCovarianceIsSingular) {
  auto values = test::smooth_scene(3, {8, 8}, 1);
  values[2] = values[1];
  ::testing::internal::CaptureStderr();
  const auto pipeline = fitted(test::whole_block(values));
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("the covariance of 3 bands from 64 pixels is singular: RX uses the variance"),
            std::string::npos)
      << log;
  auto odd = values.clone();
  odd[2][4][4] += 1.0;
  const auto score = test::scored(*pipeline, test::whole_block(odd)).score;
  EXPECT_EQ(score.argmax().item<std::int64_t>(), 4 * 8 + 4);
}

TEST(RxDetector, SaysThatThereIsTooLittleToLearnFrom) {
  const auto pipeline = test::pipeline_for(rx_options(), test::regular_bands(2));
  HYPERDEFECT_EXPECT_ERROR(
      pipeline->finalise(), InputError,
      "too few valid pixels to learn from: 0, at least 2 are needed; check no-data values and "
      "the cube's content");
  pipeline->accumulate(pipeline->preprocessed(test::whole_block(torch::ones({2, 1, 1}))));
  HYPERDEFECT_EXPECT_ERROR(pipeline->finalise(), InputError, "too few valid pixels to learn from: 1,");
}

TEST(RxDetector, OfLeadingComponentsDoesNotSeeTheOthers) {
  const auto scene = test::whole_block(test::smooth_scene(4, {12, 10}, 1));
  auto options = rx_options();
  options.of<RxOptions>().components = 4;
  const auto all = test::scored(*fitted(scene, options), scene).score;
  test::expect_close(all, test::scored(*fitted(scene), scene).score, 1e-5);
  options.of<RxOptions>().components = 1;
  const auto first = fitted(scene, options);
  EXPECT_EQ(torch::linalg_matrix_rank(first->named_buffers()["detector.precision"]).item<int>(), 1);
  EXPECT_LT(test::scored(*first, scene).score.mean().item<double>(), all.mean().item<double>());
  EXPECT_NE(first->summary().find("over 1 leading component\n"), std::string::npos) << first->summary();
}

TEST(RxDetector, TakesTheValuesOfTheBandsAsTheyAre) {
  const auto scene = test::whole_block(test::smooth_scene(6, {12, 10}, 1));
  auto options = rx_options();
  options.preprocess.transform = preprocess::Transform::log;
  options.preprocess.bins = 2;
  options.preprocess.trim_fraction = 0.1;
  EXPECT_TRUE(torch::equal(test::scored(*fitted(scene, options), scene).score,
                           test::scored(*fitted(scene), scene).score));
}

TEST(RxDetector, SmoothsItsScore) {
  const auto scene = test::whole_block(test::smooth_scene(3, {12, 10}, 1));
  auto options = rx_options();
  options.of<RxOptions>().smoothing_px = 0.5;
  const auto smooth = fitted(scene, options);
  EXPECT_EQ(smooth->receptive_field().halo, 2);
  const auto rough = test::scored(*fitted(scene), scene).score;
  test::expect_close(test::scored(*smooth, scene).score, image::gaussian_smoothed(rough, scene.valid, 0.5),
                     1e-6);
}

TEST(RxDetector, HasNothingToTrain) {
  const auto options = rx_options();
  RxDetector detector(options, preprocess::Preprocess(options.preprocess, test::regular_bands(2), 2));
  EXPECT_EQ(detector.trainable(), nullptr);
  EXPECT_EQ(detector.receptive_field().halo, 0);
  EXPECT_EQ(detector.bytes_per_pixel(), 24);
  EXPECT_NE(detector.summary().find("rx: Mahalanobis distance to the background mean over 2 bands"),
            std::string::npos);
}

}  // namespace
}  // namespace hyperdefect::detector
