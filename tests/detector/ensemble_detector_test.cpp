// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/ensemble/ensemble_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "hyperdefect/core/error.h"
#include "hyperdefect/image/crop.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

EnsembleOptions& own(DetectorOptions& options) {
  return options.of<EnsembleOptions>();
}

DetectorOptions ensemble_of(std::vector<std::string> members, std::vector<double> weights = {}) {
  auto options = test::tiny_options("ensemble");
  own(options).members = std::move(members);
  own(options).weights = std::move(weights);
  return options;
}

/// The places of the pixels, from the lowest to the highest value.
torch::Tensor order_of(const torch::Tensor& map) {
  return map.flatten().argsort();
}

class Ensemble : public ::testing::Test {
 protected:
  ScoreMaps scored(const DetectorOptions& options) const {
    return test::scored(*test::fitted(options, scene_), scene_);
  }
  torch::Tensor score_of(const DetectorOptions& options) const { return scored(options).score; }

  spectral::Block scene_ = test::whole_block(test::smooth_scene(6, {24, 20}, 3));
};

TEST_F(Ensemble, OfOneIsTheLogarithmOfThatOneInUnitsOfItsMean) {
  const auto rx = scored(test::tiny_options("rx"));
  const auto maps = scored(ensemble_of({"rx"}));
  test::expect_close(maps.score.expm1() * rx.score.mean(), rx.score, 1e-5);
  EXPECT_TRUE(torch::equal(order_of(maps.score), order_of(rx.score)));
  EXPECT_TRUE(torch::equal(maps.sad_rad, rx.sad_rad));
}

TEST_F(Ensemble, IsTheSumOfTheEnsemblesOfItsMembers) {
  const auto both = score_of(ensemble_of({"rx", "area_filter"}, {1.0, 0.5}));
  const auto rx = score_of(ensemble_of({"rx"}, {1.0}));
  const auto area_filter = score_of(ensemble_of({"area_filter"}, {0.5}));
  test::expect_close(both, rx + area_filter, 1e-5);
  test::expect_close(score_of(ensemble_of({"area_filter"}, {1.0})), 2 * area_filter, 1e-5);
}

TEST_F(Ensemble, DoesNotMindTheOrderOfItsMembers) {
  test::expect_close(score_of(ensemble_of({"rx", "area_filter", "crd"}, {1.0, 0.5, 2.0})),
                     score_of(ensemble_of({"crd", "rx", "area_filter"}, {2.0, 1.0, 0.5})), 1e-6);
}

TEST_F(Ensemble, WeighsItsMembersAlikeUnlessTold) {
  EXPECT_TRUE(torch::equal(score_of(ensemble_of({"rx", "area_filter"})),
                           score_of(ensemble_of({"rx", "area_filter"}, {1.0, 1.0}))));
}

TEST_F(Ensemble, MemberOfWeightZeroDoesNotMatter) {
  test::expect_close(score_of(ensemble_of({"rx", "local_rx", "crd"}, {1.0, 0.0, 2.0})),
                     score_of(ensemble_of({"rx", "crd"}, {1.0, 2.0})), 1e-6);
}

/// A single pixel has no surroundings: local RX then measures the distance to the mean of the training data
/// as RX does.
TEST_F(Ensemble, OfEqualMembersHasTheOrderOfOne) {
  std::vector<spectral::Block> pixels;
  for (std::int64_t row = 0; row < 6; ++row) {
    pixels.push_back(test::cut(scene_, {row, 2 * row, 1, 1}));
  }
  const auto score_with = [&](DetectorOptions options) {
    options.of<LocalRxOptions>().components = 6;
    options.of<LocalRxOptions>().smoothing_px = 0.0;
    const auto pipeline = test::prepared(options, scene_);
    std::vector<test::Part> parts;
    for (const auto& pixel : pixels) {
      parts.push_back({pixel});
    }
    test::calibrate(*pipeline, parts);
    std::vector<torch::Tensor> scores;
    for (const auto& pixel : pixels) {
      scores.push_back(test::scored(*pipeline, pixel).score.flatten());
    }
    return torch::cat(scores);
  };
  const auto one = score_with(ensemble_of({"rx"}));
  const auto both = score_with(ensemble_of({"rx", "local_rx"}));
  EXPECT_TRUE(torch::equal(order_of(both), order_of(one))) << both << one;
  test::expect_close(both, 2 * one, 1e-4);
}

TEST_F(Ensemble, PartsAreWhatTheMembersAloneGive) {
  const std::vector<std::string> names{"autoencoder", "segmenter", "rx"};
  const auto ensemble = test::fitted(ensemble_of(names, {1.0, 0.5, 2.0}), scene_);
  const auto parts = test::scored(*ensemble, scene_).parts;
  const auto state = test::state_of(*ensemble);
  ASSERT_EQ(parts.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(parts[i].first, names[i]);
    const auto alone = test::fitted(test::tiny_options(names[i]), scene_);
    for (const auto& parameter : alone->named_parameters()) {
      // "detector.network0.head.weight" is a member's "detector.segmenter.network0.head.weight".
      const auto name = "detector." + names[i] + parameter.key().substr(std::string("detector").size());
      const torch::NoGradGuard no_gradient;
      parameter.value().copy_(state.at(name));
    }
    test::calibrate(*alone, {{scene_}});
    const auto score = test::scored(*alone, scene_).score;
    // The score of a network averages 1 over the training data, if the segmenter's statistics are gathered.
    const double mean = names[i] == "rx" ? score.mean().item<double>() : 1.0;
    test::expect_close(parts[i].second, score / mean, 1e-5);
    EXPECT_NEAR(parts[i].second.mean().item<double>(), 1.0, names[i] == "segmenter" ? 0.05 : 1e-4);
  }
}

TEST_F(Ensemble, TakesTheAngleOfItsFirstMember) {
  const auto autoencoder = scored(test::tiny_options("autoencoder")).sad_rad;
  const auto rx = scored(test::tiny_options("rx")).sad_rad;
  EXPECT_FALSE(torch::equal(autoencoder, rx));
  EXPECT_TRUE(torch::equal(scored(ensemble_of({"autoencoder", "rx"})).sad_rad, autoencoder));
  EXPECT_TRUE(torch::equal(scored(ensemble_of({"rx", "autoencoder"})).sad_rad, rx));
}

TEST_F(Ensemble, TrainsItsMembersTogether) {
  const auto pipeline = test::prepared(ensemble_of({"segmenter", "autoencoder", "rx"}), scene_);
  ASSERT_NE(pipeline->trainable(), nullptr);
  const auto batch = test::batch_of(*pipeline, scene_);
  auto generator = test::seeded(1);
  pipeline->train();
  pipeline->trainable()->begin_epoch();
  test::loss_of(*pipeline->trainable(), batch, generator).backward();
  for (const auto* name : {"segmenter.network0.head.weight", "autoencoder.network.head.weight"}) {
    const auto gradient = pipeline->named_parameters()[std::string("detector.") + name].grad();
    ASSERT_TRUE(gradient.defined()) << name;
    EXPECT_GT(gradient.abs().max().item<float>(), 0.0F) << name;
  }
  EXPECT_EQ(test::pipeline_for(ensemble_of({"rx"}), test::regular_bands(6))->trainable(), nullptr);
}

TEST_F(Ensemble, StateCarriesAllThatScoringNeeds) {
  const auto options = ensemble_of({"autoencoder", "segmenter", "rx"});
  const auto pipeline = test::fitted(options, scene_);
  const auto other = test::pipeline_for(options, test::regular_bands(6));
  test::load_state(*other, test::state_of(*pipeline));
  EXPECT_TRUE(torch::equal(test::scored(*other, scene_).score, test::scored(*pipeline, scene_).score));
}

TEST_F(Ensemble, SeesWhatItsMembersSee) {
  const auto bands = test::regular_bands(6);
  const auto autoencoder = test::pipeline_for(ensemble_of({"autoencoder"}), bands)->receptive_field();
  const auto both = test::pipeline_for(ensemble_of({"autoencoder", "segmenter"}), bands);
  EXPECT_GT(both->receptive_field().halo, autoencoder.halo);
  EXPECT_EQ(both->receptive_field().alignment % autoencoder.alignment, 0);
  EXPECT_NE(both->summary().find("== segmenter, weight 1\n"), std::string::npos);
}

TEST_F(Ensemble, RefusesWeightsThatDoNotMatchAndNamesGivenTwice) {
  HYPERDEFECT_EXPECT_ERROR(scored(ensemble_of({"rx", "segmenter"}, {1.0})), ConfigError,
                           "ensemble.weights has 1 entries; it must have one for each of the 2 detectors");
  HYPERDEFECT_EXPECT_ERROR(scored(ensemble_of({"rx", "rx"}, {1.0, 1.0})), ConfigError,
                           "ensemble.members names a detector twice");
}

constexpr Window kSpot{10, 10, 2, 2};
constexpr Window kLine{25, 5, 1, 30};

/// A spot and a line of one strange spectrum.
spectral::Block scene_with_spot_and_line() {
  auto scene = test::whole_block(test::smooth_scene(4, {40, 40}, 1));
  const auto change = torch::tensor({0.3F, -0.3F, 0.3F, -0.3F}).view({-1, 1, 1});
  test::cut(scene, kSpot).values += change;
  test::cut(scene, kLine).values += change;
  return scene;
}

class CompactSpots : public Ensemble {
 protected:
  CompactSpots() { scene_ = scene_with_spot_and_line(); }

  static DetectorOptions with_spots(DetectorOptions options, double weight) {
    own(options).compact_weight = weight;
    own(options).compact_area_px = 25;
    return options;
  }
  test::PipelinePtr of_rx(double weight) const {
    return test::fitted(with_spots(ensemble_of({"rx"}), weight), scene_);
  }
};

TEST_F(CompactSpots, RiseAndLinesDoNot) {
  const auto plain = test::scored(*of_rx(0.0), scene_);
  const auto maps = test::scored(*of_rx(2.0), scene_);
  const auto factor = maps.score / plain.score;
  EXPECT_GT(image::crop(factor, kSpot).min().item<float>(), 2.0F);
  EXPECT_LT(image::crop(factor, kLine).median().item<float>(), 1.5F);
  EXPECT_GE(factor.min().item<float>(), 1.0F);
  EXPECT_TRUE(torch::equal(maps.parts[0].second, plain.parts[0].second));
  EXPECT_TRUE(torch::equal(maps.sad_rad, plain.sad_rad));
}

TEST_F(CompactSpots, RiseByTheirWeightTimesWhatStandsOut) {
  const auto plain = test::scored(*of_rx(0.0), scene_).score;
  const auto once = test::scored(*of_rx(1.0), scene_).score;
  const auto thrice = test::scored(*of_rx(3.0), scene_).score;
  test::expect_close(thrice - plain, 3 * (once - plain), 1e-5);
  // What stands out of a map is no more than the map.
  EXPECT_LE((once / plain).max().item<float>(), 2.0F + 1e-5F);
}

TEST_F(CompactSpots, RiseInEachMapBeforeTheyAreAddedUp) {
  const auto both = score_of(with_spots(ensemble_of({"rx", "area_filter"}, {1.0, 2.0}), 3.0));
  const auto rx = score_of(with_spots(ensemble_of({"rx"}, {1.0}), 3.0));
  const auto area_filter = score_of(with_spots(ensemble_of({"area_filter"}, {2.0}), 3.0));
  test::expect_close(both, rx + area_filter, 1e-5);
}

TEST_F(CompactSpots, DoNotDependOnTheTiles) {
  scene_.valid.narrow(0, 18, 3).narrow(1, 20, 9).fill_(false);
  scene_.values.narrow(1, 18, 3).narrow(2, 20, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto with_spots = of_rx(2.0);
  EXPECT_EQ(with_spots->receptive_field().halo, 8);
  test::expect_same_in_tiles(*with_spots, scene_, 24 * 24, 4, 1e-6);
}

TEST_F(CompactSpots, AreNamedInTheSummary) {
  EXPECT_NE(of_rx(2.0)->summary().find("== compact spots of less than 25 pixels, weight 2\n"),
            std::string::npos);
  EXPECT_EQ(of_rx(0.0)->summary().find("spots"), std::string::npos);
}

class FusionCap : public CompactSpots {
 protected:
  static constexpr double kCap = 0.4;

  static DetectorOptions capped(double cap, std::vector<std::string> members, std::vector<double> weights) {
    auto options = with_spots(ensemble_of(std::move(members), std::move(weights)), 3.0);
    options.of<SegmenterOptions>().fusion_cap = cap;
    return options;
  }
  torch::Tensor with_segmenter(double cap) const {
    return score_of(capped(cap, {"segmenter", "rx", "area_filter"}, {2.0, 1.0, 1.0}));
  }
};

TEST_F(FusionCap, HoldsAtEveryPixel) {
  const auto others = score_of(capped(kCap, {"rx", "area_filter"}, {1.0, 1.0}));
  const auto added = with_segmenter(kCap) - others;
  const auto most = kCap * others / 2;
  EXPECT_TRUE(added.ge(-1e-5).all().item<bool>()) << added.min();
  EXPECT_TRUE(added.le(most + 1e-5).all().item<bool>()) << (added - most).max();
  // The segmenter adds all that it may where it is cut, and all that it has elsewhere.
  const auto all = with_segmenter(0.0) - others;
  const auto is_cut = all.gt(most + 1e-4);
  const auto part = is_cut.to(torch::kFloat).mean().item<float>();
  EXPECT_GT(part, 0.1F);
  EXPECT_LT(part, 1.0F);
  test::expect_close(added.masked_select(is_cut), most.masked_select(is_cut), 1e-5);
  const auto is_whole = all.lt(most - 1e-4);
  test::expect_close(added.masked_select(is_whole), all.masked_select(is_whole), 1e-5);
}

TEST_F(FusionCap, OfZeroIsNone) {
  const auto others = score_of(capped(0.0, {"rx", "area_filter"}, {1.0, 1.0}));
  const auto segmenter = score_of(capped(0.0, {"segmenter"}, {2.0}));
  test::expect_close(with_segmenter(0.0), segmenter + others, 1e-4);
}

TEST_F(FusionCap, NeedsOthers) {
  EXPECT_TRUE(torch::equal(score_of(capped(kCap, {"segmenter"}, {1.0})),
                           score_of(capped(0.0, {"segmenter"}, {1.0}))));
}

TEST_F(FusionCap, DoesNotCountMembersOfWeightZero) {
  test::expect_close(score_of(capped(kCap, {"segmenter", "rx", "area_filter"}, {2.0, 1.0, 0.0})),
                     score_of(capped(kCap, {"segmenter", "rx"}, {2.0, 1.0})), 1e-5);
}

}  // namespace
}  // namespace hyperdefect::detector
