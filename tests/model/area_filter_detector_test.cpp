// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/area_filter_detector.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

DetectorOptions small_options() {
  DetectorOptions options;
  options.classical.area_components = 3;
  options.classical.area_sizes_px = {3, 7};
  options.classical.area_extent = 100.0;
  options.classical.area_smoothing_px = 0.0;
  return options;
}

std::shared_ptr<AreaFilterDetector> observed(const spectral::Block& scene,
                                             const DetectorOptions& options = small_options()) {
  auto detector = std::make_shared<AreaFilterDetector>(options, test::regular_bands(scene.values.size(0)));
  detector->to(test::test_device());
  detector->bind(detector->bands());
  detector->observe(scene);
  detector->finish();
  return detector;
}

TEST(AreaFilterDetector, DividesEachAreaByItsMeanOverTheTrainingData) {
  const auto scene = test::whole_block(test::smooth_scene(5, {24, 20}, 1));
  auto detector = observed(scene);
  detector->calibrate(scene);
  detector->finish_calibration();
  EXPECT_NEAR(detector->score(scene).score.mean().item<double>(), 1.0, 1e-5);
  const auto means = detector->named_buffers()["area_means"];
  EXPECT_EQ(means.sizes(), (torch::IntArrayRef{2}));
  EXPECT_GT(means[1].item<float>(), means[0].item<float>());
}

TEST(AreaFilterDetector, CalibratesOnWhatWindowsShowWhole) {
  const auto scene = test::whole_block(test::smooth_scene(5, {40, 20}, 1));
  auto whole_image = observed(scene);
  whole_image->calibrate(scene);
  whole_image->finish_calibration();
  auto windows = observed(scene);
  // With a halo of 7 rows, rows 0 to 19 and 20 to 39 are exact.
  windows->calibrate(test::cut(scene, {0, 0, 27, 20}));
  windows->calibrate(test::cut(scene, {13, 0, 27, 20}));
  windows->finish_calibration();
  test::expect_close(windows->named_buffers()["area_means"], whole_image->named_buffers()["area_means"],
                     1e-6);
}

TEST(AreaFilterDetector, StaysZeroWhereNothingStandsOut) {
  auto ramp = torch::arange(30, torch::kFloat).view({1, 1, 30}).expand({2, 10, 30}).clone();
  ramp[1] *= 2;
  const auto scene = test::whole_block(ramp);
  auto detector = observed(scene);
  detector->calibrate(scene);
  detector->finish_calibration();
  EXPECT_EQ(detector->score(scene).score.abs().max().item<float>(), 0.0F);
}

TEST(AreaFilterDetector, LooksAsFarAsItsLargestSpot) {
  const auto scene = test::whole_block(test::smooth_scene(5, {9, 9}, 1));
  EXPECT_EQ(observed(scene)->field().halo, 7);
  auto options = small_options();
  options.classical.area_extent = 1.6;
  EXPECT_EQ(observed(scene, options)->field().halo, 5);
}

TEST(AreaFilterDetector, DoesNotTakeALineForASpot) {
  auto scene = test::whole_block(torch::rand({2, 30, 30}, test::seeded(1)));
  scene.values.select(1, 6).narrow(1, 8, 5).add_(5.0);
  const auto score_of_line = [&](double extent) {
    auto options = small_options();
    options.classical.area_extent = extent;
    return observed(scene, options)->score(scene).score[6].narrow(0, 8, 5).mean().item<double>();
  };
  EXPECT_LT(score_of_line(1.6), 0.5 * score_of_line(100.0));
}

}  // namespace
}  // namespace hyperdefect::model
