// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

DetectorOptions log_options() {
  DetectorOptions options;
  options.name = "likelihood_ratio";
  options.preprocess.transform = preprocess::Transform::log;
  options.preprocess.bins = 12;
  options.of<LikelihoodRatioOptions>().components = 8;
  return options;
}

torch::Tensor score_of(const Pipeline& pipeline, const spectral::Block& block) {
  return test::scored(pipeline, block).score;
}

spectral::Block scene_of(std::int64_t bands, std::uint64_t seed, Size size = {40, 40}) {
  return test::whole_block(test::smooth_scene(bands, size, seed));
}

/// A scene whose pixels at rows 20, 21 and columns 9, 10 absorb at the middle bands.
spectral::Block with_defect(spectral::Block scene, double depth) {
  const auto bands = scene.values.size(0);
  const auto from_middle = (torch::arange(bands, torch::kFloat) - static_cast<double>(bands) / 2) / 3;
  const auto dip = (1 - depth * (-from_middle.square()).exp()).view({-1, 1, 1});
  scene.values = scene.values.clone();
  scene.values.narrow(1, 20, 2).narrow(2, 9, 2).mul_(dip);
  return scene;
}

void expect_defect_on_top(const torch::Tensor& score) {
  const auto highest = std::get<0>(std::get<1>(score.flatten().topk(4)).sort());
  const auto places = torch::tensor({20 * 40 + 9, 20 * 40 + 10, 21 * 40 + 9, 21 * 40 + 10}, torch::kLong);
  EXPECT_TRUE(torch::equal(highest, places)) << highest;
}

class Transforms : public ::testing::TestWithParam<preprocess::Transform> {
 protected:
  Transforms() { options_.preprocess.transform = GetParam(); }
  DetectorOptions options_ = log_options();
};

TEST_P(Transforms, FindASmoothChangeThatIsSmallerThanTheScenesOwn) {
  const auto pipeline = test::fitted(options_, scene_of(24, 1));
  expect_defect_on_top(score_of(*pipeline, with_defect(scene_of(24, 2), 0.05)));
}

TEST_P(Transforms, DoNotDependOnTheUnits) {
  auto scene = scene_of(24, 1);
  const auto wanted = score_of(*test::fitted(options_, scene), scene);
  scene.values = scene.values * 1000;
  test::expect_close(score_of(*test::fitted(options_, scene), scene), wanted, 0.02);
}

INSTANTIATE_TEST_SUITE_P(Names, Transforms,
                         ::testing::Values(preprocess::Transform::log, preprocess::Transform::none),
                         [](const auto& parameter) {
                           return std::string(parameter.param == preprocess::Transform::log ? "log" : "none");
                         });

TEST(LikelihoodRatioDetector, ChangeOfIlluminationIsNoDefect) {
  const auto scene = scene_of(24, 2);
  const auto pipeline = test::fitted(log_options(), scene_of(24, 1));
  auto darker = scene;
  darker.values = scene.values * (0.8 * (1 + torch::linspace(-0.03, 0.03, 24))).view({-1, 1, 1});
  const auto usual = score_of(*pipeline, scene);
  const auto shifted = score_of(*pipeline, darker);
  EXPECT_LT((shifted.quantile(0.99) - usual.quantile(0.99)).item<float>(), 3.0F);
  auto options = log_options();
  options.of<LikelihoodRatioOptions>().gain = options.of<LikelihoodRatioOptions>().tilt = 0.0;
  const auto strict = test::fitted(options, scene_of(24, 1));
  EXPECT_GT((score_of(*strict, darker) - score_of(*strict, scene)).median().item<float>(), 3.0F);
}

/// What the score is the softplus of.
torch::Tensor evidence(const torch::Tensor& score) {
  const auto exact = score.to(torch::kDouble);
  return exact + exact.neg().expm1().neg().log();
}

TEST(LikelihoodRatioDetector, EvidenceIsTheWeightedSumOfItsTerms) {
  const auto scene = with_defect(scene_of(24, 2), 0.1);
  const auto evidence_with = [&](double global, double local, double coherence) {
    auto options = log_options();
    options.of<LikelihoodRatioOptions>().global_weight = global;
    options.of<LikelihoodRatioOptions>().local_weight = local;
    options.of<LikelihoodRatioOptions>().coherence_weight = coherence;
    return evidence(score_of(*test::fitted(options, scene_of(24, 1)), scene));
  };
  const auto global = evidence_with(1, 0, 0);
  const auto local = evidence_with(0, 1, 0);
  const auto coherence = evidence_with(0, 0, 1);
  EXPECT_GT((global - local).abs().max().item<double>(), 0.1);
  EXPECT_GT((coherence - local).abs().max().item<double>(), 0.1);
  test::expect_close(evidence_with(0.5, 0.25, 2), 0.5 * global + 0.25 * local + 2 * coherence, 1e-5);
  EXPECT_LT(evidence_with(0, 0, 0).abs().max().item<double>(), 1e-6);
}

TEST(LikelihoodRatioDetector, LocalTermFollowsTheBackground) {
  // One half of the scene has another material than the training data: only the global term minds.
  auto scene = with_defect(scene_of(24, 2), 0.1);
  scene.values.narrow(1, 0, 15).mul_((1 + 0.3 * torch::linspace(0, 9, 24).sin()).view({-1, 1, 1}));
  auto options = log_options();
  options.of<LikelihoodRatioOptions>().global_weight = 0.0;
  const auto score = score_of(*test::fitted(options, scene_of(24, 1)), scene);
  EXPECT_GT(score[20][9].item<float>(), score.narrow(0, 0, 10).max().item<float>());
}

/// The scene with spots of one pixel, each 3 rows and columns from the next, that glint: a broad bump over
/// the bands of this height.
spectral::Block with_glints(spectral::Block scene, double height) {
  const auto bands = scene.values.size(0);
  const auto from_middle = (torch::arange(bands, torch::kFloat) / static_cast<double>(bands) - 0.5) / 0.4;
  const auto bump = (height * (-from_middle.square()).exp()).exp().view({-1, 1, 1});
  scene.values = scene.values.clone();
  scene.values.slice(1, 1, {}, 3).slice(2, 1, {}, 3).mul_(bump);
  return scene;
}

TEST(LikelihoodRatioDetector, TextureThatIsStrongerThanInTrainingScoresLow) {
  auto options = log_options();
  options.of<LikelihoodRatioOptions>().texture_directions = 1;
  const auto taught = with_glints(scene_of(24, 1), 0.03);
  const auto scene = with_defect(with_glints(scene_of(24, 2), 0.3), 0.1);
  const auto strict = score_of(*test::fitted(options, taught), scene);
  options.of<LikelihoodRatioOptions>().texture_probability = 0.06;
  const auto score = score_of(*test::fitted(options, taught), scene);
  const auto glints = [](const torch::Tensor& map) {
    return map.slice(0, 1, 18, 3).slice(1, 1, {}, 3).median().item<float>();
  };
  const auto defect = [](const torch::Tensor& map) { return map[20][9].item<float>(); };
  EXPECT_LT(glints(score), 0.5F * glints(strict));
  EXPECT_GT(defect(score), 0.8F * defect(strict));
}

TEST(LikelihoodRatioDetector, GlobalTermAddsNoMoreThanItsLimit) {
  auto scene = scene_of(24, 2);
  scene.values.narrow(1, 0, 15).mul_((1 + 0.3 * torch::linspace(0, 9, 24).sin()).view({-1, 1, 1}));
  auto options = log_options();
  options.of<LikelihoodRatioOptions>().local_weight = 0.0;
  options.of<LikelihoodRatioOptions>().coherence_weight = 0.0;
  const auto free = score_of(*test::fitted(options, scene_of(24, 1)), scene);
  options.of<LikelihoodRatioOptions>().global_limit = 4.0;
  const auto limited = score_of(*test::fitted(options, scene_of(24, 1)), scene);
  EXPECT_GT(free.narrow(0, 0, 15).median().item<float>(), 4.0F);
  EXPECT_NEAR(limited.max().item<double>(), std::log1p(std::exp(0.5 * 4.0)), 1e-6);
  EXPECT_TRUE(torch::equal(limited.lt(2.0), free.lt(2.0)));
}

TEST(LikelihoodRatioDetector, TilingDoesNotChangeTheScores) {
  const Size size{61, 50};
  auto scene = scene_of(24, 5, size);
  scene.valid.narrow(0, 30, 6).narrow(1, 20, 9).fill_(false);
  scene.values.narrow(1, 30, 6).narrow(2, 20, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto pipeline = test::fitted(log_options(), scene);
  test::expect_same_in_tiles(*pipeline, scene, 24 * 24, 6, 1e-6);
}

/// Pairs of neighbours across the cut count as others do, however small the window of the median is.
TEST(LikelihoodRatioDetector, PassMayBeSplitIntoBlocks) {
  for (const std::int64_t window_px : {1, 3, 7}) {
    auto options = log_options();
    options.of<LikelihoodRatioOptions>().window_px = window_px;
    const auto scene = scene_of(24, 1);
    const auto whole = test::prepared(options, scene);
    const auto split = test::pipeline_for(options, test::regular_bands(24));
    const auto reach = split->statistics_reach_px();
    auto left = test::all_valid({40, 20 + reach});
    left.slice(1, 20).fill_(false);
    test::learn_statistics(*split, {{test::cut(scene, {0, 0, 40, 20 + reach}), left},
                                    {test::cut(scene, {0, 20 - reach, 40, 20 + reach}), left.flip(1)}});
    const auto got = test::state_of(*split);
    for (const auto& [name, wanted] : test::state_of(*whole)) {
      const auto size = wanted.abs().max().item<double>();
      EXPECT_LE((got.at(name) - wanted).abs().max().item<double>(), 1e-5 * size)
          << name << ", window " << window_px;
    }
  }
}

TEST(LikelihoodRatioDetector, StateCarriesAllThatScoringNeeds) {
  const auto scene = scene_of(24, 1);
  const auto pipeline = test::fitted(log_options(), scene);
  const auto other = test::pipeline_for(log_options(), test::regular_bands(24));
  test::load_state(*other, test::state_of(*pipeline));
  const auto maps = test::scored(*other, scene);
  const auto wanted = test::scored(*pipeline, scene);
  EXPECT_TRUE(torch::equal(maps.score, wanted.score));
  EXPECT_TRUE(torch::equal(maps.sad_rad, wanted.sad_rad));
}

TEST(LikelihoodRatioDetector, CanBeFittedAgain) {
  const auto pipeline = test::fitted(log_options(), scene_of(24, 1));
  const auto other = scene_of(24, 9);
  pipeline->accumulate(pipeline->preprocessed(other));
  EXPECT_TRUE(pipeline->finalise());
  pipeline->accumulate(pipeline->preprocessed(other));
  EXPECT_FALSE(pipeline->finalise());
  EXPECT_TRUE(torch::equal(score_of(*pipeline, other), score_of(*test::fitted(log_options(), other), other)));
}

TEST(LikelihoodRatioDetector, AngleIsToTheMeanSpectrum) {
  auto scene = test::whole_block(torch::rand({2, 6, 6}, test::seeded(1), torch::kFloat) + 1);
  scene.valid[0][0] = false;
  scene.values.select(1, 0).select(1, 0).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto mean = scene.values.flatten(1).slice(1, 1).to(torch::kDouble).mean(1);
  DetectorOptions options;
  options.name = "likelihood_ratio";
  const auto angle = test::scored(*test::fitted(options, scene), scene).sad_rad[3][4].item<double>();
  const double wanted =
      std::atan2(scene.values[1][3][4].item<double>(), scene.values[0][3][4].item<double>()) -
      std::atan2(mean[1].item<double>(), mean[0].item<double>());
  EXPECT_NEAR(angle, std::abs(wanted), 1e-5);
}

TEST(LikelihoodRatioDetector, TakesBandsWithoutWavelengthsToLieEvenlyBetween400And1000Nm) {
  for (const std::int64_t bands : {1, 2, 5}) {
    for (const auto transform : {preprocess::Transform::log, preprocess::Transform::none}) {
      auto options = log_options();
      options.preprocess.transform = transform;
      const auto scene = scene_of(bands, 1);
      const auto score_with = [&](const std::vector<double>& wavelengths_nm) {
        const auto pipeline = test::pipeline_for(options, spectral::Bands{bands, wavelengths_nm, {}, {}});
        test::learn_statistics(*pipeline, {{scene}});
        return score_of(*pipeline, scene);
      };
      const auto nominal = torch::linspace(400, 1000, bands, torch::kDouble);
      const auto* first = nominal.const_data_ptr<double>();
      const auto score = score_with({});
      EXPECT_TRUE(torch::equal(score, score_with({first, first + bands}))) << bands;
      EXPECT_GE(score.min().item<float>(), 0.0F) << bands;
      EXPECT_GT(score.max().item<float>(), score.min().item<float>()) << bands;
    }
  }
}

TEST(LikelihoodRatioDetector, SeesALargeDefectEvenWhenFewPixelsTaughtIt) {
  ::testing::internal::CaptureStderr();
  const auto pipeline = test::fitted(log_options(), scene_of(24, 1, {1, 3}));
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("the noise of 12 bands or bins is estimated from 2 pairs of neighbours only"),
            std::string::npos)
      << log;
  const auto usual = score_of(*pipeline, scene_of(24, 2)).narrow(0, 20, 2).narrow(1, 9, 2);
  const auto defect = score_of(*pipeline, with_defect(scene_of(24, 2), 0.5)).narrow(0, 20, 2).narrow(1, 9, 2);
  EXPECT_TRUE(defect.gt(usual).all().item<bool>()) << usual << defect;
}

TEST(LikelihoodRatioDetector, ScoresOnePixelByTheTrainingSpectraAlone) {
  auto options = log_options();
  options.of<LikelihoodRatioOptions>().local_weight = 0.0;
  options.of<LikelihoodRatioOptions>().coherence_weight = 0.0;
  const auto pipeline = test::fitted(options, scene_of(24, 1));
  const auto scene = with_defect(scene_of(24, 2), 0.1);
  const auto pixel = test::cut(scene, {20, 9, 1, 1});
  test::expect_close(score_of(*pipeline, pixel)[0][0], score_of(*pipeline, scene)[20][9], 1e-5);
  // It is its own background, and no neighbour shares its defect.
  options.of<LikelihoodRatioOptions>().coherence_weight = 2.0;
  test::expect_close(score_of(*test::fitted(options, scene_of(24, 1)), pixel), score_of(*pipeline, pixel),
                     1e-6);
}

TEST(LikelihoodRatioDetector, InvalidBlocksGiveNoScoresAndTeachNothing) {
  const auto scene = scene_of(24, 1);
  auto nothing = test::whole_block(torch::full({24, 40, 40}, std::numeric_limits<float>::quiet_NaN()));
  nothing.valid.fill_(false);
  const auto pipeline = test::pipeline_for(log_options(), test::regular_bands(24));
  test::learn_statistics(*pipeline, {{scene}, {nothing}});
  EXPECT_TRUE(torch::equal(score_of(*pipeline, scene), score_of(*test::fitted(log_options(), scene), scene)));
  const auto maps = test::scored(*pipeline, nothing);
  EXPECT_TRUE(maps.score.isnan().all().item<bool>());
  EXPECT_TRUE(maps.sad_rad.isnan().all().item<bool>());
}

TEST(LikelihoodRatioDetector, SaysThatThereIsTooLittleToLearnFrom) {
  const auto refused = [](const spectral::Block& block) {
    const auto pipeline = test::pipeline_for(log_options(), test::regular_bands(24));
    pipeline->accumulate(pipeline->preprocessed(block));
    return test::message_of<InputError>([&] { pipeline->finalise(); });
  };
  EXPECT_EQ(refused(scene_of(24, 1, {2, 1})),
            "too few valid pixels to learn from: 0 pairs of horizontal neighbours, at least 2 "
            "are needed; check no-data values and the cube's content");
  EXPECT_EQ(refused(scene_of(24, 1, {1, 2})).find("too few valid pixels to learn from: 1 pair of horizontal"),
            0U);
  const auto alike_in_rows = torch::rand({24, 5, 1}, test::seeded(1)).add(1).expand({24, 5, 5}).clone();
  EXPECT_NE(refused(test::whole_block(alike_in_rows)).find("the noise cannot be estimated"),
            std::string::npos);
}

TEST(LikelihoodRatioDetector, HasNothingToTrain) {
  EXPECT_EQ(test::pipeline_for(log_options(), test::regular_bands(24))->trainable(), nullptr);
}

TEST(LikelihoodRatioDetector, DescribesItself) {
  auto options = log_options();
  LikelihoodRatioDetector detector(options,
                                   preprocess::Preprocess(options.preprocess, test::regular_bands(24), 1));
  EXPECT_EQ(detector.receptive_field().halo, 4);
  EXPECT_EQ(detector.receptive_field().alignment, 1);
  EXPECT_EQ(detector.bytes_per_pixel(), 4 * 4 * 12 + 8 * (2 * 12 + 12 * 8 + 4 * 3 + 30));
  const auto page = detector.summary();
  EXPECT_NE(page.find("likelihood_ratio: a smooth change of the spectrum against none, 8 components of 12 "
                      "features\nparameters: none trained;"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("two mixtures of 3 normal distributions: 582 numbers\n"), std::string::npos) << page;
  EXPECT_NE(page.find("receptive field: 9 pixels\nmultiply-adds per pixel: 1512\n"), std::string::npos)
      << page;
  options.of<LikelihoodRatioOptions>().window_px = 4;
  EXPECT_EQ(test::pipeline_for(options, test::regular_bands(24))->receptive_field().halo, 3);
}

}  // namespace
}  // namespace hyperdefect::detector
