// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/fused_detector.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/detectors.h"
#include "hyperdefect/model/model_file.h"
#include "hyperdefect/spectral/area_filter.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

DetectorOptions fused(std::vector<std::string> members, std::vector<double> weights) {
  auto options = test::tiny_options();
  options.model.detector = "fused";
  options.model.fused = std::move(members);
  options.model.fused_weights = std::move(weights);
  return options;
}

std::shared_ptr<Detector> fitted(const DetectorOptions& options, const spectral::Block& scene) {
  torch::manual_seed(1);
  auto detector = make_detector(options, test::regular_bands(scene.values.size(0)));
  detector->to(test::test_device());
  const torch::NoGradGuard no_gradient;
  detector->bind(detector->bands());
  do {
    detector->observe(scene);
  } while (detector->finish());
  detector->eval();
  detector->calibrate(scene);
  detector->finish_calibration();
  return detector;
}

class Fused : public ::testing::Test {
 protected:
  ScoreMaps scored(const DetectorOptions& options) const {
    const torch::NoGradGuard no_gradient;
    return fitted(options, scene_)->score(scene_);
  }
  spectral::Block scene_ = test::whole_block(test::smooth_scene(6, {24, 20}, 3));
};

TEST_F(Fused, AddsItsPartsUpByTheirWeights) {
  auto options = fused({"autoencoder", "segmenter", "rx"}, {1.0, 0.5, 2.0});
  options.segmenter.bound = 0.0;
  const auto maps = scored(options);
  ASSERT_EQ(maps.parts.size(), 3U);
  EXPECT_EQ(maps.parts[1].first, "segmenter");
  auto sum = torch::zeros_like(maps.score);
  const std::vector<double> weights{1.0, 0.5, 2.0};
  for (std::size_t i = 0; i < 3; ++i) {
    // The segmenter's mean is that of its calibration, with each block's own statistics.
    EXPECT_NEAR(maps.parts[i].second.mean().item<double>(), 1.0, i == 1 ? 0.05 : 1e-4) << maps.parts[i].first;
    sum += weights[i] * maps.parts[i].second.log1p();
  }
  test::expect_close(maps.score, sum, 1e-5);
}

TEST_F(Fused, OfOneIsTheLogarithmOfThatOneInUnitsOfItsMean) {
  auto alone = test::tiny_options();
  alone.model.detector = "rx";
  const auto rx = scored(alone);
  const auto maps = scored(fused({"rx"}, {1.0}));
  test::expect_close(maps.parts[0].second, rx.score / rx.score.mean(), 1e-5);
  test::expect_close(maps.score, (rx.score / rx.score.mean()).log1p(), 1e-5);
  EXPECT_TRUE(torch::equal(maps.sad_rad, rx.sad_rad));
}

TEST_F(Fused, TrainsItsMembersTogether) {
  const auto detector = fitted(fused({"segmenter", "autoencoder", "rx"}, {1.0, 1.0, 1.0}), scene_);
  ASSERT_TRUE(detector->trainable());
  const auto block = detector->prepare(scene_);
  auto generator = test::seeded(1);
  detector->train();
  detector->begin_epoch();
  test::loss_of(*detector, {block.values.unsqueeze(0), block.valid.unsqueeze(0)}, generator).backward();
  for (const auto* name : {"segmenter.network0.head.weight", "autoencoder.network.head.weight"}) {
    EXPECT_TRUE(detector->named_parameters()[name].grad().defined()) << name;
  }
  EXPECT_FALSE(fitted(fused({"rx"}, {1.0}), scene_)->trainable());
}

TEST_F(Fused, StateCarriesAllThatScoringNeeds) {
  const auto options = fused({"autoencoder", "segmenter"}, {1.0, 1.0});
  const auto detector = fitted(options, scene_);
  torch::manual_seed(9);
  auto other = make_detector(options, test::regular_bands(6));
  other->to(test::test_device());
  other->bind(other->bands());
  other->eval();
  load_state(*other, state_of(*detector), "a test");
  const torch::NoGradGuard no_gradient;
  EXPECT_TRUE(torch::equal(other->score(scene_).score, detector->score(scene_).score));
}

/// What the members add to the score, their spots raised: (members, rows, cols).
torch::Tensor summands_of(const ScoreMaps& maps, const DetectorOptions& options) {
  std::vector<torch::Tensor> all;
  for (std::size_t i = 0; i < maps.parts.size(); ++i) {
    all.push_back(maps.parts[i].second.log1p() * options.model.fused_weights[i]);
  }
  const auto logarithms = torch::stack(all);
  return logarithms + options.score.spot_weight *
                          spectral::area_top_hats(logarithms, maps.valid, {options.score.spot_area_px},
                                                  spectral::kTwiceAsLongAsWide, spectral::Hats::bright)[0];
}

/// A spot of 2 x 2 pixels at (10, 10) and a line in row 25, of one strange spectrum.
spectral::Block scene_with_spot_and_line() {
  auto scene = test::whole_block(test::smooth_scene(4, {40, 40}, 1));
  const auto change = torch::tensor({0.3F, -0.3F, 0.3F, -0.3F}).view({-1, 1, 1});
  test::cut(scene, {10, 10, 2, 2}).values += change;
  test::cut(scene, {25, 5, 1, 30}).values += change;
  return scene;
}

class Spots : public ::testing::Test {
 protected:
  std::shared_ptr<Detector> detector(double weight) const {
    auto options = fused({"rx"}, {1.0});
    options.score.spot_weight = weight;
    options.score.spot_area_px = 25;
    return fitted(options, scene_);
  }
  spectral::Block scene_ = scene_with_spot_and_line();
};

TEST_F(Spots, RiseAndLinesDoNot) {
  const auto plain = detector(0.0)->score(scene_);
  const auto maps = detector(2.0)->score(scene_);
  const auto factor = maps.score / plain.score;
  EXPECT_GT(factor.slice(0, 10, 12).slice(1, 10, 12).min().item<float>(), 2.0F);
  EXPECT_LT(factor[25].slice(0, 5, 35).median().item<float>(), 1.5F);
  EXPECT_GE(factor.min().item<float>(), 1.0F);
  EXPECT_TRUE(torch::equal(maps.parts[0].second, plain.parts[0].second));
  EXPECT_TRUE(torch::equal(maps.sad_rad, plain.sad_rad));
}

TEST_F(Spots, RiseInEachMapBeforeTheyAreAddedUp) {
  auto options = fused({"rx", "area_filter"}, {1.0, 2.0});
  options.score.spot_weight = 3.0;
  options.score.spot_area_px = 25;
  const auto maps = fitted(options, scene_)->score(scene_);
  test::expect_close(maps.score, summands_of(maps, options).sum(0), 1e-5);
}

TEST_F(Spots, DoNotDependOnTheTiles) {
  scene_.valid.narrow(0, 18, 3).narrow(1, 20, 9).fill_(false);
  scene_.values.narrow(1, 18, 3).narrow(2, 20, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto with_spots = detector(2.0);
  EXPECT_EQ(with_spots->field().halo, 8);
  test::expect_same_in_tiles(*with_spots, scene_, 24 * 24, 4, 1e-6);
}

TEST_F(Spots, AreNamedInTheSummary) {
  EXPECT_NE(detector(2.0)->summary().find("== spots of less than 25 pixels, weight 2\n"), std::string::npos);
  EXPECT_EQ(detector(0.0)->summary().find("spots"), std::string::npos);
}

class Bound : public ::testing::Test {
 protected:
  Bound() {
    options_.score.spot_weight = 3.0;
    options_.score.spot_area_px = 25;
    options_.segmenter.bound = 0.4;
  }
  DetectorOptions options_ = fused({"segmenter", "rx", "area_filter"}, {2.0, 1.0, 1.0});
  spectral::Block scene_ = scene_with_spot_and_line();
};

TEST_F(Bound, IsAMultipleOfTheMeanOfTheOthers) {
  const auto maps = fitted(options_, scene_)->score(scene_);
  const auto summands = summands_of(maps, options_);
  const auto others = summands[1] + summands[2];
  const auto most = 0.4 * others / 2;
  const auto cut = (summands[0] > most).to(torch::kFloat).mean().item<float>();
  EXPECT_GT(cut, 0.1F);
  EXPECT_LT(cut, 1.0F);
  test::expect_close(maps.score, torch::minimum(summands[0], most) + others, 1e-5);
}

TEST_F(Bound, OfZeroIsNone) {
  options_.segmenter.bound = 0.0;
  const auto maps = fitted(options_, scene_)->score(scene_);
  test::expect_close(maps.score, summands_of(maps, options_).sum(0), 1e-5);
}

TEST_F(Bound, NeedsOthers) {
  options_.model.fused = {"segmenter"};
  options_.model.fused_weights = {1.0};
  const auto maps = fitted(options_, scene_)->score(scene_);
  test::expect_close(maps.score, summands_of(maps, options_).sum(0), 1e-5);
}

TEST_F(Fused, WeighsItsMembersAlikeUnlessTold) {
  const auto untold = scored(fused({"rx", "area_filter"}, {}));
  EXPECT_TRUE(torch::equal(untold.score, scored(fused({"rx", "area_filter"}, {1.0, 1.0})).score));
}

TEST_F(Fused, SeesWhatItsMembersSee) {
  const auto autoencoder = make_detector(fused({"autoencoder"}, {1.0}), test::regular_bands(6))->field();
  const auto both = make_detector(fused({"autoencoder", "segmenter"}, {1.0, 1.0}), test::regular_bands(6));
  EXPECT_GT(both->field().halo, autoencoder.halo);
  EXPECT_EQ(both->field().grid % autoencoder.grid, 0);
  EXPECT_NE(both->summary().find("== segmenter, weight 1\n"), std::string::npos);
}

TEST_F(Fused, RefusesWeightsThatDoNotMatchAndNamesGivenTwice) {
  HYPERDEFECT_EXPECT_ERROR(scored(fused({"rx", "segmenter"}, {1.0})), ConfigError,
                           "model.fused_weights has 1 entries, it must have one for each of the 2 detectors");
  HYPERDEFECT_EXPECT_ERROR(scored(fused({"rx", "rx"}, {1.0, 1.0})), ConfigError,
                           "model.fused names a detector twice");
}

}  // namespace
}  // namespace hyperdefect::model
