// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/component_detector.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/detectors.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

constexpr Window kSpot{12, 20, 2, 2};

/// A smooth scene with a spot of another spectrum.
spectral::Block scene_with_spot() {
  auto scene = test::whole_block(test::smooth_scene(8, {30, 40}, 1));
  const auto change = 0.2 * torch::arange(8, torch::kFloat).remainder(2).view({-1, 1, 1});
  test::cut(scene, kSpot).values += change;
  return scene;
}

DetectorOptions options_for(const std::string& detector) {
  auto options = test::tiny_options();
  options.model.detector = detector;
  options.classical.area_components = 4;
  options.classical.area_sizes_px = {3, 8};
  options.classical.local_components = 4;
  options.classical.local_inner_px = 3;
  options.classical.local_outer_px = 9;
  options.classical.crd_components = 4;
  options.classical.crd_inner_px = 3;
  options.classical.crd_outer_px = 9;
  return options;
}

std::shared_ptr<Detector> fitted(const DetectorOptions& options, const spectral::Block& scene) {
  auto detector = make_detector(options, test::regular_bands(scene.values.size(0)));
  detector->to(test::test_device());
  detector->bind(detector->bands());
  detector->observe(scene);
  EXPECT_FALSE(detector->finish());
  detector->calibrate(scene);
  detector->finish_calibration();
  return detector;
}

class OnComponents : public ::testing::TestWithParam<const char*> {
 protected:
  spectral::Block scene_ = scene_with_spot();
  DetectorOptions options_ = options_for(GetParam());
};

TEST_P(OnComponents, FindsASpotOfAnotherSpectrum) {
  const auto score = fitted(options_, scene_)->score(scene_).score;
  const auto most = score.argmax().item<std::int64_t>();
  EXPECT_GE(most / 40, kSpot.row);
  EXPECT_LT(most / 40, kSpot.end_row());
  EXPECT_GE(most % 40, kSpot.col);
  EXPECT_LT(most % 40, kSpot.end_col());
}

TEST_P(OnComponents, DoesNotDependOnTheWindows) {
  auto detector = fitted(options_, scene_);
  const auto whole_maps = detector->score(scene_);
  const auto halo = detector->field().halo;
  EXPECT_EQ(detector->field().grid, 1);
  ASSERT_LT(halo, 12);
  const auto tile = test::cut(scene_, {0, 5, 30, 35});
  const auto maps = detector->score(tile);
  test::expect_close(maps.score.slice(1, halo), whole_maps.score.slice(1, 5 + halo), 1e-5);
  test::expect_close(maps.sad_rad, whole_maps.sad_rad.slice(1, 5), 1e-6);
}

TEST_P(OnComponents, LeavesInvalidPixelsOut) {
  scene_.valid[4][6] = false;
  scene_.values.select(1, 4).select(1, 6).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto maps = fitted(options_, scene_)->score(scene_);
  EXPECT_TRUE(torch::equal(maps.score.isnan(), scene_.valid.logical_not()));
  EXPECT_TRUE(torch::equal(maps.sad_rad.isnan(), scene_.valid.logical_not()));
  EXPECT_TRUE(torch::equal(maps.valid, scene_.valid));
}

TEST_P(OnComponents, DoesNotSeeTheUnitOfTheValues) {
  auto percent = scene_with_spot();
  percent.values *= 100;
  const auto maps = fitted(options_, scene_)->score(scene_);
  const auto again = fitted(options_, percent)->score(percent);
  test::expect_close(again.score, maps.score, 2e-3);
  test::expect_close(again.sad_rad, maps.sad_rad, 1e-5);
}

TEST_P(OnComponents, TakesTheTransformAndComparesTheAngleInPhysicalUnits) {
  options_.preprocess.transform = "log";
  const auto maps = fitted(options_, scene_)->score(scene_);
  EXPECT_TRUE(maps.score.isfinite().all().item<bool>());
  EXPECT_LT(maps.sad_rad.mean().item<double>(), 0.3);
}

TEST_P(OnComponents, HasNothingToTrain) {
  auto detector = make_detector(options_, test::regular_bands(8));
  detector->to(test::test_device());
  EXPECT_FALSE(detector->trainable());
  EXPECT_TRUE(detector->parameters().empty());
  auto generator = test::seeded(1);
  HYPERDEFECT_EXPECT_ERROR(detector->losses({}, generator), Error,
                           detector->name() + " is not trained by gradient");
  const auto page = detector->summary();
  EXPECT_NE(page.find(std::string("\n") + GetParam() + ": "), std::string::npos) << page;
  EXPECT_NE(page.find("4 components"), std::string::npos) << page;
  EXPECT_NE(page.find("receptive field: " + std::to_string(2 * detector->field().halo + 1) + " pixels"),
            std::string::npos)
      << page;
}

TEST_P(OnComponents, SaysThatThereIsTooLittleToLearnFrom) {
  auto detector = make_detector(options_, test::regular_bands(8));
  detector->to(test::test_device());
  HYPERDEFECT_EXPECT_ERROR(detector->finish(), InputError, "too few valid pixels to learn from: 0");
}

INSTANTIATE_TEST_SUITE_P(Detectors, OnComponents, ::testing::Values("area_filter", "local_rx", "crd"),
                         [](const auto& name) { return std::string(name.param); });

TEST(DualWindowKeys, MustGoTogether) {
  auto options = options_for("local_rx");
  options.classical.local_inner_px = 9;
  HYPERDEFECT_EXPECT_ERROR(
      make_detector(options, test::regular_bands(8)), ConfigError,
      "model.local_inner_px is 9 and model.local_outer_px is 9: both must be odd and the "
      "inner one smaller; change one of them");
  options = options_for("crd");
  options.classical.crd_inner_px = 4;
  HYPERDEFECT_EXPECT_ERROR(make_detector(options, test::regular_bands(8)), ConfigError,
                           "model.crd_inner_px is 4 and model.crd_outer_px is 9: both must be odd");
}

}  // namespace
}  // namespace hyperdefect::model
