// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/area_filter_detector.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

DetectorOptions small_options() {
  DetectorOptions options;
  options.name = "area_filter";
  auto& own = options.of<AreaFilterOptions>();
  own.components = 3;
  own.sizes_px = {3, 7};
  own.max_elongation = 100.0;
  own.smoothing_px = 0.0;
  return options;
}

TEST(AreaFilterDetector, DividesEachAreaByItsMeanOverTheTrainingData) {
  const auto scene = test::whole_block(test::smooth_scene(5, {24, 20}, 1));
  const auto pipeline = test::fitted(small_options(), scene);
  EXPECT_NEAR(test::scored(*pipeline, scene).score.mean().item<double>(), 1.0, 1e-5);
  const auto means = pipeline->named_buffers()["detector.area_means"];
  EXPECT_EQ(means.sizes(), (torch::IntArrayRef{2}));
  EXPECT_GT(means[1].item<float>(), means[0].item<float>());
}

TEST(AreaFilterDetector, CalibratesOnWhatWindowsShowWhole) {
  const auto scene = test::whole_block(test::smooth_scene(5, {40, 20}, 1));
  const auto whole_image = test::fitted(small_options(), scene);
  const auto windows = test::prepared(small_options(), scene);
  // With a halo of 7 rows, rows 0 to 19 and 20 to 39 are exact.
  auto first_rows = test::all_valid({27, 20});
  first_rows.slice(0, 20).fill_(false);
  test::calibrate(*windows, {{test::cut(scene, {0, 0, 27, 20}), first_rows},
                             {test::cut(scene, {13, 0, 27, 20}), first_rows.flip(0)}});
  test::expect_close(windows->named_buffers()["detector.area_means"],
                     whole_image->named_buffers()["detector.area_means"], 1e-6);
}

TEST(AreaFilterDetector, StaysZeroIfNothingStandsOut) {
  auto ramp = torch::arange(30, torch::kFloat).view({1, 1, 30}).expand({2, 10, 30}).clone();
  ramp[1] *= 2;
  const auto scene = test::whole_block(ramp);
  const auto pipeline = test::fitted(small_options(), scene);
  EXPECT_EQ(test::scored(*pipeline, scene).score.abs().max().item<float>(), 0.0F);
}

TEST(AreaFilterDetector, LooksAsFarAsItsLargestSpot) {
  const auto bands = test::regular_bands(5);
  EXPECT_EQ(test::pipeline_for(small_options(), bands)->receptive_field().halo, 7);
  auto options = small_options();
  options.of<AreaFilterOptions>().max_elongation = 1.6;
  EXPECT_EQ(test::pipeline_for(options, bands)->receptive_field().halo, 5);
}

TEST(AreaFilterDetector, DoesNotTakeALineForASpot) {
  auto scene = test::whole_block(torch::rand({2, 30, 30}, test::seeded(1)));
  scene.values.select(1, 6).narrow(1, 8, 5).add_(5.0);
  const auto score_of_line = [&](double max_elongation) {
    auto options = small_options();
    options.of<AreaFilterOptions>().max_elongation = max_elongation;
    const auto score = test::scored(*test::prepared(options, scene), scene).score;
    return score[6].narrow(0, 8, 5).mean().item<double>();
  };
  EXPECT_LT(score_of_line(1.6), 0.5 * score_of_line(100.0));
}

}  // namespace
}  // namespace hyperdefect::detector
