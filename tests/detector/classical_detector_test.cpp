// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/classical_detector.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/spectral/angle.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

constexpr Window kSpot{12, 20, 2, 2};

/// A smooth scene with a spot of another spectrum.
spectral::Block scene_with_spot() {
  auto scene = test::whole_block(test::smooth_scene(8, {30, 40}, 1));
  const auto change = 0.2 * torch::arange(8, torch::kFloat).remainder(2).view({-1, 1, 1});
  test::cut(scene, kSpot).values += change;
  return scene;
}

class OnComponents : public ::testing::TestWithParam<const char*> {
 protected:
  ScoreMaps fitted_and_scored(const spectral::Block& scene) const {
    return test::scored(*test::fitted(options_, scene), scene);
  }

  spectral::Block scene_ = scene_with_spot();
  DetectorOptions options_ = test::tiny_options(GetParam());
};

TEST_P(OnComponents, FindsASpotOfAnotherSpectrum) {
  const auto score = fitted_and_scored(scene_).score;
  const auto most = score.argmax().item<std::int64_t>();
  EXPECT_GE(most / 40, kSpot.row);
  EXPECT_LT(most / 40, kSpot.end_row());
  EXPECT_GE(most % 40, kSpot.col);
  EXPECT_LT(most % 40, kSpot.end_col());
}

TEST_P(OnComponents, DoesNotDependOnTheWindows) {
  const auto pipeline = test::fitted(options_, scene_);
  const auto halo = pipeline->receptive_field().halo;
  EXPECT_EQ(pipeline->receptive_field().alignment, 1);
  ASSERT_LT(halo, 12);
  const auto whole_maps = test::scored(*pipeline, scene_);
  const auto maps = test::scored(*pipeline, test::cut(scene_, {0, 5, 30, 35}));
  test::expect_close(maps.score.slice(1, halo), whole_maps.score.slice(1, 5 + halo), 1e-5);
  test::expect_close(maps.sad_rad, whole_maps.sad_rad.slice(1, 5), 1e-6);
}

TEST_P(OnComponents, LeavesInvalidPixelsOut) {
  scene_.valid[4][6] = false;
  scene_.values.select(1, 4).select(1, 6).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto maps = fitted_and_scored(scene_);
  EXPECT_TRUE(torch::equal(maps.score.isnan(), scene_.valid.logical_not()));
  EXPECT_TRUE(torch::equal(maps.sad_rad.isnan(), scene_.valid.logical_not()));
  EXPECT_TRUE(torch::equal(maps.valid, scene_.valid));
}

TEST_P(OnComponents, DoesNotSeeTheUnitOfTheValues) {
  auto percent = scene_with_spot();
  percent.values *= 100;
  const auto maps = fitted_and_scored(scene_);
  const auto again = fitted_and_scored(percent);
  test::expect_close(again.score, maps.score, 2e-3);
  test::expect_close(again.sad_rad, maps.sad_rad, 1e-5);
}

TEST_P(OnComponents, TakesTheTransformAndComparesTheAngleInPhysicalUnits) {
  auto logarithms = scene_;
  logarithms.values = scene_.values.log();
  const auto wanted = fitted_and_scored(logarithms).score;
  options_.preprocess.transform = preprocess::Transform::log;
  const auto maps = fitted_and_scored(scene_);
  test::expect_close(maps.score, wanted, 1e-4);
  const auto expected = logarithms.values.to(torch::kDouble).mean({1, 2}).exp();
  test::expect_close(maps.sad_rad, spectral::spectral_angle_map(scene_.values, expected), 1e-5);
}

TEST_P(OnComponents, HasNothingToTrain) {
  const auto pipeline = test::pipeline_for(options_, test::regular_bands(8));
  EXPECT_EQ(pipeline->trainable(), nullptr);
  EXPECT_TRUE(pipeline->parameters().empty());
  const auto page = pipeline->summary();
  EXPECT_NE(page.find(std::string("\n") + GetParam() + ": "), std::string::npos) << page;
  EXPECT_NE(page.find("4 components"), std::string::npos) << page;
  EXPECT_NE(
      page.find("receptive field: " + std::to_string(2 * pipeline->receptive_field().halo + 1) + " pixels"),
      std::string::npos)
      << page;
}

TEST_P(OnComponents, SaysThatThereIsTooLittleToLearnFrom) {
  const auto pipeline = test::pipeline_for(options_, test::regular_bands(8));
  HYPERDEFECT_EXPECT_ERROR(pipeline->finalise(), InputError, "too few valid pixels to learn from: 0");
}

INSTANTIATE_TEST_SUITE_P(Detectors, OnComponents, ::testing::Values("area_filter", "local_rx", "crd"),
                         [](const auto& name) { return std::string(name.param); });

TEST(DualWindowKeys, MustGoTogether) {
  auto options = test::tiny_options("local_rx");
  options.of<LocalRxOptions>().window.inner_px = 9;
  HYPERDEFECT_EXPECT_ERROR(test::pipeline_for(options, test::regular_bands(8)), ConfigError,
                           "local_rx.inner_px is 9 and local_rx.outer_px is 9: both must be odd and the "
                           "inner one smaller; change one of them");
  options = test::tiny_options("crd");
  options.of<CrdOptions>().window.inner_px = 4;
  HYPERDEFECT_EXPECT_ERROR(test::pipeline_for(options, test::regular_bands(8)), ConfigError,
                           "crd.inner_px is 4 and crd.outer_px is 9: both must be odd");
}

}  // namespace
}  // namespace hyperdefect::detector
