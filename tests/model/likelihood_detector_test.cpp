// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/likelihood_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

using DetectorPtr = std::shared_ptr<LikelihoodDetector>;

DetectorOptions log_options() {
  DetectorOptions options;
  options.preprocess.transform = "log";
  options.preprocess.bins = 12;
  options.likelihood.components = 8;
  return options;
}

DetectorPtr detector_for(const DetectorOptions& options, std::int64_t bands) {
  auto detector = std::make_shared<LikelihoodDetector>(options, test::regular_bands(bands));
  detector->to(test::test_device());
  detector->bind(detector->bands());
  return detector;
}

DetectorPtr fitted(const DetectorOptions& options, const spectral::Block& scene) {
  auto detector = detector_for(options, scene.values.size(0));
  do {
    detector->observe(scene);
  } while (detector->finish());
  return detector;
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

class Transforms : public ::testing::TestWithParam<const char*> {};

TEST_P(Transforms, FindASmoothChangeThatIsSmallerThanTheScenesOwn) {
  auto options = log_options();
  options.preprocess.transform = GetParam();
  const auto detector = fitted(options, scene_of(24, 1));
  expect_defect_on_top(detector->score(with_defect(scene_of(24, 2), 0.05)).score);
}

TEST_P(Transforms, DoNotDependOnTheUnits) {
  auto options = log_options();
  options.preprocess.transform = GetParam();
  auto scene = scene_of(24, 1);
  const auto wanted = fitted(options, scene)->score(scene).score;
  scene.values = scene.values * 1000;
  test::expect_close(fitted(options, scene)->score(scene).score, wanted, 0.02);
}

INSTANTIATE_TEST_SUITE_P(Names, Transforms, ::testing::Values("log", "none"));

TEST(LikelihoodDetector, ChangeOfIlluminationIsNoDefect) {
  const auto scene = scene_of(24, 2);
  const auto detector = fitted(log_options(), scene_of(24, 1));
  auto darker = scene;
  darker.values = scene.values * (0.8 * (1 + torch::linspace(-0.03, 0.03, 24))).view({-1, 1, 1});
  const auto usual = detector->score(scene).score;
  const auto shifted = detector->score(darker).score;
  EXPECT_LT((shifted.quantile(0.99) - usual.quantile(0.99)).item<float>(), 3.0F);
  auto options = log_options();
  options.likelihood.gain = options.likelihood.tilt = 0.0;
  const auto strict = fitted(options, scene_of(24, 1));
  EXPECT_GT((strict->score(darker).score - strict->score(scene).score).median().item<float>(), 3.0F);
}

/// What the score is the softplus of.
torch::Tensor evidence(const torch::Tensor& score) {
  const auto exact = score.to(torch::kDouble);
  return exact + exact.neg().expm1().neg().log();
}

TEST(LikelihoodDetector, EvidenceIsTheWeightedSumOfItsTerms) {
  const auto scene = with_defect(scene_of(24, 2), 0.1);
  const auto evidence_with = [&](double global, double local, double coherence) {
    auto options = log_options();
    options.likelihood.global_weight = global;
    options.likelihood.local_weight = local;
    options.likelihood.coherence_weight = coherence;
    return evidence(fitted(options, scene_of(24, 1))->score(scene).score);
  };
  const auto global = evidence_with(1, 0, 0);
  const auto local = evidence_with(0, 1, 0);
  const auto coherence = evidence_with(0, 0, 1);
  EXPECT_GT((global - local).abs().max().item<double>(), 0.1);
  EXPECT_GT((coherence - local).abs().max().item<double>(), 0.1);
  test::expect_close(evidence_with(0.5, 0.25, 2), 0.5 * global + 0.25 * local + 2 * coherence, 1e-5);
  EXPECT_LT(evidence_with(0, 0, 0).abs().max().item<double>(), 1e-6);
}

TEST(LikelihoodDetector, LocalTermFollowsTheBackground) {
  // One half of the scene has another material than the training data: only the global term minds.
  auto scene = with_defect(scene_of(24, 2), 0.1);
  scene.values.narrow(1, 0, 15).mul_((1 + 0.3 * torch::linspace(0, 9, 24).sin()).view({-1, 1, 1}));
  auto options = log_options();
  options.likelihood.global_weight = 0.0;
  const auto score = fitted(options, scene_of(24, 1))->score(scene).score;
  EXPECT_GT(score[20][9].item<float>(), score.narrow(0, 0, 10).max().item<float>());
}

TEST(LikelihoodDetector, TilingDoesNotChangeTheScores) {
  const Size size{61, 50};
  auto scene = scene_of(24, 5, size);
  scene.valid.narrow(0, 30, 6).narrow(1, 20, 9).fill_(false);
  scene.values.narrow(1, 30, 6).narrow(2, 20, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto detector = fitted(log_options(), scene);
  test::expect_same_in_tiles(*detector, scene, 24 * 24, 6, 1e-6);
}

TEST(LikelihoodDetector, PassMayBeSplitIntoBlocks) {
  const auto scene = scene_of(24, 1);
  const auto whole = fitted(log_options(), scene);
  const auto split = detector_for(log_options(), 24);
  do {
    split->observe(test::cut(scene, {0, 0, 20, 40}));
    split->observe(test::cut(scene, {20, 0, 20, 40}));
  } while (split->finish());
  // The medians at the cut see one side of it only.
  const auto difference = (split->score(scene).score - whole->score(scene).score).abs();
  EXPECT_LT(difference.mean().item<float>(), 0.1F);
}

TEST(LikelihoodDetector, StateCarriesAllThatScoringNeeds) {
  const auto scene = scene_of(24, 1);
  const auto detector = fitted(log_options(), scene);
  const auto other = detector_for(log_options(), 24);
  load_state(*other, state_of(*detector), "a test");
  EXPECT_TRUE(torch::equal(other->score(scene).score, detector->score(scene).score));
  EXPECT_TRUE(torch::equal(other->score(scene).sad_rad, detector->score(scene).sad_rad));
}

TEST(LikelihoodDetector, CanBeFittedAgain) {
  const auto detector = fitted(log_options(), scene_of(24, 1));
  const auto other = scene_of(24, 9);
  detector->observe(other);
  EXPECT_TRUE(detector->finish());
  detector->observe(other);
  EXPECT_FALSE(detector->finish());
  EXPECT_TRUE(torch::equal(detector->score(other).score, fitted(log_options(), other)->score(other).score));
}

TEST(LikelihoodDetector, AngleIsToTheMeanSpectrum) {
  auto scene = test::whole_block(torch::rand({2, 6, 6}, test::seeded(1), torch::kFloat) + 1);
  scene.valid[0][0] = false;
  scene.values.select(1, 0).select(1, 0).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto mean = scene.values.flatten(1).slice(1, 1).to(torch::kDouble).mean(1);
  const auto angle = fitted({}, scene)->score(scene).sad_rad[3][4].item<double>();
  const double wanted =
      std::atan2(scene.values[1][3][4].item<double>(), scene.values[0][3][4].item<double>()) -
      std::atan2(mean[1].item<double>(), mean[0].item<double>());
  EXPECT_NEAR(angle, std::abs(wanted), 1e-5);
}

TEST(LikelihoodDetector, ManagesFewBandsWithoutWavelengths) {
  for (const std::int64_t bands : {1, 2, 5}) {
    for (const char* transform : {"log", "none"}) {
      auto options = log_options();
      options.preprocess.transform = transform;
      LikelihoodDetector detector(options, spectral::Bands{bands, {}, {}, {}});
      detector.bind(detector.bands());
      const auto scene = scene_of(bands, 1);
      do {
        detector.observe(scene);
      } while (detector.finish());
      EXPECT_TRUE(detector.score(scene).score.isfinite().all().item<bool>()) << bands;
    }
  }
}

TEST(LikelihoodDetector, ManagesFewPixels) {
  ::testing::internal::CaptureStderr();
  const auto detector = fitted(log_options(), scene_of(24, 1, {1, 3}));
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("the noise of 12 bands or bins is estimated from 2 pairs of neighbours only"),
            std::string::npos)
      << log;
  EXPECT_TRUE(detector->score(scene_of(24, 2)).score.isfinite().all().item<bool>());
}

TEST(LikelihoodDetector, ScoresOnePixel) {
  const auto detector = fitted(log_options(), scene_of(24, 1));
  EXPECT_TRUE(detector->score(scene_of(24, 2, {1, 1})).score.isfinite().all().item<bool>());
}

TEST(LikelihoodDetector, InvalidBlocksGiveNoScoresAndTeachNothing) {
  const auto scene = scene_of(24, 1);
  auto nothing = test::whole_block(torch::full({24, 40, 40}, std::numeric_limits<float>::quiet_NaN()));
  nothing.valid.fill_(false);
  const auto detector = detector_for(log_options(), 24);
  do {
    detector->observe(scene);
    detector->observe(nothing);
  } while (detector->finish());
  EXPECT_TRUE(torch::equal(detector->score(scene).score, fitted(log_options(), scene)->score(scene).score));
  const auto maps = detector->score(nothing);
  EXPECT_TRUE(maps.score.isnan().all().item<bool>());
  EXPECT_TRUE(maps.sad_rad.isnan().all().item<bool>());
}

TEST(LikelihoodDetector, SaysThatThereIsTooLittleToLearnFrom) {
  const auto detector = detector_for(log_options(), 24);
  HYPERDEFECT_EXPECT_ERROR(detector->finish(), InputError,
                           "too few valid pixels to learn from: 0 pairs of horizontal neighbours, at least 2 "
                           "are needed; check no-data values and the cube's content");
  detector->observe(scene_of(24, 1, {1, 2}));
  HYPERDEFECT_EXPECT_ERROR(detector->finish(), InputError,
                           "too few valid pixels to learn from: 1 pair of horizontal neighbours");
  const auto flat = detector_for(log_options(), 24);
  flat->observe(test::whole_block(torch::ones({24, 5, 5})));
  HYPERDEFECT_EXPECT_ERROR(flat->finish(), InputError, "the noise cannot be estimated");
}

TEST(LikelihoodDetector, NeedsACubesBands) {
  LikelihoodDetector detector({}, spectral::Bands{2, {}, {}, {}});
  EXPECT_EQ(test::refusal([&] { detector.score(scene_of(2, 1)); }),
            "BandTransform: bind() to a cube's bands first");
}

TEST(LikelihoodDetector, HasNothingToTrain) {
  const auto detector = fitted(log_options(), scene_of(24, 1));
  EXPECT_FALSE(detector->trainable());
  EXPECT_EQ(detector->prepare(scene_of(24, 1)).values.size(0), 8);
  auto generator = test::seeded(1);
  HYPERDEFECT_EXPECT_ERROR(detector->losses({}, generator), Error,
                           "LikelihoodDetector is not trained by gradient");
}

TEST(LikelihoodDetector, DescribesItself) {
  auto options = log_options();
  const auto detector = detector_for(options, 24);
  EXPECT_EQ(detector->field().halo, 4);
  EXPECT_EQ(detector->field().grid, 1);
  EXPECT_EQ(detector->bytes_per_pixel(), 4 * (3 * 24 + 12) + 8 * (2 * 12 + 12 * 8 + 4 * 3 + 30));
  const auto page = detector->summary();
  EXPECT_NE(page.find("likelihood: a smooth change of the spectrum against none, 8 components of 12 features "
                      "of 24 bands\n"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("two mixtures of 3 normal distributions: 606 numbers\n"), std::string::npos) << page;
  EXPECT_NE(page.find("receptive field: 9 pixels\nmultiply-adds a pixel: 1512\n"), std::string::npos) << page;
  options.likelihood.window_px = 4;
  EXPECT_EQ(detector_for(options, 24)->field().halo, 3);
}

}  // namespace
}  // namespace hyperdefect::model
