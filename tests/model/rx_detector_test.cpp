// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/rx_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/spectral/gaussian.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

/// Four pixels about the mean (5, 2) with sample covariance diag(8/3, 2/3), and an invalid one.
spectral::Block cross() {
  auto block =
      test::whole_block(torch::tensor({{{7.0F, 3.0F, 5.0F, 5.0F, 1e6F}}, {{2.0F, 2.0F, 3.0F, 1.0F, 1e6F}}}));
  block.valid[0][4] = false;
  return block;
}

RxDetector fitted(const spectral::Block& block, const DetectorOptions& options = {}) {
  RxDetector detector(options, spectral::Bands{block.values.size(0), {}, {}, {}});
  detector.to(test::test_device());
  detector.bind(detector.bands());
  detector.observe(block);
  detector.finish();
  return detector;
}

TEST(RxDetector, MatchesTheExampleByHand) {
  auto detector = fitted(cross());
  const auto maps = detector.score(cross());
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
  auto whole = fitted(scene);
  RxDetector split({}, spectral::Bands{3, {}, {}, {}});
  split.to(test::test_device());
  split.bind(split.bands());
  split.observe(test::cut(scene, {0, 0, 5, 10}));
  split.observe(test::cut(scene, {5, 0, 7, 10}));
  split.finish();
  test::expect_close(split.score(scene).score, whole.score(scene).score, 1e-5);
}

TEST(RxDetector, SaysThatTheCovarianceIsSingular) {
  auto values = test::smooth_scene(3, {8, 8}, 1);
  values[2] = values[1];
  ::testing::internal::CaptureStderr();
  auto detector = fitted(test::whole_block(values));
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("the covariance of 3 bands from 64 pixels is singular: RX adds a ridge of"),
            std::string::npos)
      << log;
  auto odd = values.clone();
  odd[2][4][4] += 1.0;
  const auto score = detector.score(test::whole_block(odd)).score;
  EXPECT_EQ(score.argmax().item<std::int64_t>(), 4 * 8 + 4);
}

TEST(RxDetector, SaysThatThereIsTooLittleToLearnFrom) {
  RxDetector detector({}, spectral::Bands{2, {}, {}, {}});
  detector.to(test::test_device());
  detector.bind(detector.bands());
  HYPERDEFECT_EXPECT_ERROR(
      detector.finish(), InputError,
      "too few valid pixels to learn from: 0, at least 2 are needed; check no-data values and "
      "the cube's content");
  detector.observe(test::whole_block(torch::ones({2, 1, 1})));
  HYPERDEFECT_EXPECT_ERROR(detector.finish(), InputError, "too few valid pixels to learn from: 1,");
}

TEST(RxDetector, OfLeadingComponentsDoesNotSeeTheOthers) {
  const auto scene = test::whole_block(test::smooth_scene(4, {12, 10}, 1));
  DetectorOptions options;
  options.classical.rx_components = 4;
  auto all = fitted(scene, options);
  test::expect_close(all.score(scene).score, fitted(scene).score(scene).score, 1e-5);
  options.classical.rx_components = 1;
  auto first = fitted(scene, options);
  EXPECT_EQ(torch::linalg_matrix_rank(first.named_buffers()["precision"]).item<int>(), 1);
  EXPECT_LT(first.score(scene).score.mean().item<double>(), all.score(scene).score.mean().item<double>());
  EXPECT_NE(first.summary().find("over 1 leading component\n"), std::string::npos);
}

TEST(RxDetector, SmoothsItsScore) {
  const auto scene = test::whole_block(test::smooth_scene(3, {12, 10}, 1));
  DetectorOptions options;
  options.classical.rx_smoothing_px = 0.5;
  auto smooth = fitted(scene, options);
  EXPECT_EQ(smooth.field().halo, 2);
  const auto rough = fitted(scene).score(scene).score;
  test::expect_close(smooth.score(scene).score, spectral::gaussian_smoothed(rough, scene.valid, 0.5), 1e-6);
}

TEST(RxDetector, NeedsACubesBands) {
  RxDetector detector({}, spectral::Bands{2, {}, {}, {}});
  detector.to(test::test_device());
  EXPECT_EQ(test::refusal([&] { detector.score(cross()); }), "RxDetector: bind() to a cube's bands first");
}

TEST(RxDetector, HasNothingToTrain) {
  RxDetector detector({}, spectral::Bands{2, {}, {}, {}});
  detector.to(test::test_device());
  EXPECT_FALSE(detector.trainable());
  EXPECT_EQ(detector.field().halo, 0);
  EXPECT_EQ(detector.bytes_per_pixel(), 24);
  auto generator = test::seeded(1);
  HYPERDEFECT_EXPECT_ERROR(detector.losses({}, generator), Error, "RxDetector is not trained by gradient");
  EXPECT_NE(detector.summary().find("rx: Mahalanobis distance to the background mean over 2 bands"),
            std::string::npos);
}

}  // namespace
}  // namespace hyperdefect::model
