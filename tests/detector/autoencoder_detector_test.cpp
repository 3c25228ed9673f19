// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/autoencoder/autoencoder_detector.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

AutoencoderOptions& own(DetectorOptions& options) {
  return options.of<AutoencoderOptions>();
}

DetectorOptions defect_options() {
  auto options = test::tiny_options();
  auto& network = own(options).network;
  network.norm = nn::Norm::none;
  network.input_skip = true;
  network.full_resolution_block = true;
  network.skip_full_resolution = true;
  auto& learning = own(options).learning;
  learning.corruption = Corruption::synthetic_defect;
  learning.gain = 0.05;
  learning.tilt = 0.02;
  own(options).score.inference = Inference::plain;
  return options;
}

DetectorOptions options_for(Corruption corruption) {
  return corruption == Corruption::mask ? test::tiny_options() : defect_options();
}

torch::Tensor score_of(const Pipeline& pipeline, const spectral::Block& block) {
  return test::scored(pipeline, block).score;
}

/// The first component of the pixel at (10, 13).
double component_of(const Pipeline& pipeline, const spectral::Block& scene) {
  return pipeline.training_input(pipeline.preprocessed(scene))[0][10][13].item<double>();
}

/// What the network predicts for one pixel whose only component was set to `value`: the score of an
/// uncalibrated detector with one component is the distance of the two, and `value` lies above.
double prediction_for(const Pipeline& pipeline, const spectral::Block& scene, double value) {
  const auto component = component_of(pipeline, scene);
  auto changed = scene;
  changed.values = scene.values.clone();
  const auto of_spectrum = [&](double amount) {
    changed.values.select(1, 10).select(1, 13).copy_(scene.values.select(1, 10).select(1, 13) + amount);
    return component_of(pipeline, changed) - component;
  };
  of_spectrum((value - component) / of_spectrum(1.0));
  return component_of(pipeline, changed) - score_of(pipeline, changed)[10][13].item<double>();
}

class BlindSpot : public ::testing::TestWithParam<std::int64_t> {
 protected:
  test::PipelinePtr prepared(Inference inference) const {
    auto options = test::tiny_options();
    options.preprocess.components = 1;
    own(options).learning.mask_sizes_px = {GetParam()};
    own(options).score.inference = inference;
    own(options).score.mask_repeats = 2;
    return test::prepared(options, scene_);
  }
  spectral::Block scene_ = test::whole_block(test::smooth_scene(6, {24, 24}, 2));
};

TEST_P(BlindSpot, MaskedPassesPredictAPixelWithoutSeeingIt) {
  const auto pipeline = prepared(Inference::masked);
  const auto first = prediction_for(*pipeline, scene_, 20.0);
  EXPECT_LT(first, 20.0);
  EXPECT_NEAR(prediction_for(*pipeline, scene_, 40.0), first, 1e-4);
  EXPECT_NEAR(prediction_for(*pipeline, scene_, 80.0), first, 1e-4);
}

TEST_P(BlindSpot, OnePlainPassSeesIt) {
  const auto pipeline = prepared(Inference::plain);
  EXPECT_GT(std::abs(prediction_for(*pipeline, scene_, 40.0) - prediction_for(*pipeline, scene_, 20.0)),
            0.001);
}

INSTANTIATE_TEST_SUITE_P(MaskSizes, BlindSpot, ::testing::Values(1, 3, 8));

TEST(AutoencoderDetector, DefectOfTheTrainingImageStaysVisible) {
  auto scene = test::whole_block(test::smooth_scene(8, {32, 32}, 3));
  scene.values.narrow(1, 20, 2).narrow(2, 9, 2).slice(0, 2, 5).add_(0.1);
  const auto pipeline = test::prepared(test::tiny_options(), scene);
  test::train(*pipeline, scene, 60);
  test::calibrate(*pipeline, {{scene}});
  const auto score = score_of(*pipeline, scene);
  const auto highest = std::get<1>(score.flatten().topk(4)).sort();
  const auto places = torch::tensor({20 * 32 + 9, 20 * 32 + 10, 21 * 32 + 9, 21 * 32 + 10}, torch::kLong);
  EXPECT_TRUE(torch::equal(std::get<0>(highest), places)) << std::get<0>(highest);
}

/// The mean loss over twenty ways to spoil the scene, always the same ones.
double expected_loss(const Pipeline& pipeline, const spectral::Block& scene) {
  const torch::NoGradGuard no_gradient;
  const auto batch = test::batch_of(pipeline, scene);
  auto generator = test::seeded(77);
  double sum = 0.0;
  for (int i = 0; i < 20; ++i) {
    sum += test::loss_of(*pipeline.trainable(), batch, generator).item<double>();
  }
  return sum / 20;
}

class LossFalls : public ::testing::TestWithParam<Corruption> {};

TEST_P(LossFalls, OverThirtySteps) {
  auto options = options_for(GetParam());
  auto& learning = own(options).learning;
  learning.sad_loss_weight = 0.1;
  learning.defect_fraction = 0.3;
  learning.defect_min_amplitude = 0.05;
  learning.defect_max_amplitude = 0.1;
  const auto scene = test::whole_block(test::smooth_scene(8, {32, 32}, 3));
  for (const auto loss : {ReconstructionLoss::root_mean_square, ReconstructionLoss::squared}) {
    learning.loss = loss;
    const auto pipeline = test::prepared(options, scene);
    const auto before = expected_loss(*pipeline, scene);
    test::train(*pipeline, scene, 30, 4);
    EXPECT_LT(expected_loss(*pipeline, scene), 0.9 * before) << static_cast<int>(loss);
  }
}

INSTANTIATE_TEST_SUITE_P(Corruptions, LossFalls,
                         ::testing::Values(Corruption::mask, Corruption::synthetic_defect));

TEST(AutoencoderDetector, InvalidPixelsHaveNoLoss) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  for (const auto& options : {test::tiny_options(), defect_options()}) {
    const auto pipeline = test::prepared(options, scene);
    auto generator = test::seeded(4);
    auto batch = test::batch_of(*pipeline, scene);
    batch.valid = torch::zeros_like(batch.valid);
    EXPECT_EQ(test::loss_of(*pipeline->trainable(), batch, generator).item<double>(), 0.0);
  }
}

TEST(AutoencoderDetector, EqualGeneratorsGiveEqualLosses) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto pipeline = test::prepared(test::tiny_options(), scene);
  const auto batch = test::batch_of(*pipeline, scene);
  const auto loss_with = [&](std::uint64_t seed) {
    auto generator = test::seeded(seed);
    return test::loss_of(*pipeline->trainable(), batch, generator).item<double>();
  };
  const auto loss = loss_with(4);
  EXPECT_EQ(loss_with(4), loss);
  EXPECT_NE(loss_with(5), loss);
}

TEST(AutoencoderDetector, EqualGeneratorsDrawEqualWeightsWhateverWasDrawnBefore) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto state = test::state_of(*test::prepared(test::tiny_options(), scene, 1));
  torch::rand({1});
  const auto again = test::state_of(*test::prepared(test::tiny_options(), scene, 1));
  const auto other = test::state_of(*test::prepared(test::tiny_options(), scene, 2));
  ASSERT_EQ(again.size(), state.size());
  for (const auto& [name, tensor] : state) {
    EXPECT_TRUE(torch::equal(again.at(name), tensor)) << name;
  }
  const auto* head = "detector.network.head.weight";
  EXPECT_FALSE(torch::equal(other.at(head), state.at(head)));
}

TEST(AutoencoderDetector, BeginsAsTheIdentityWithInputSkip) {
  auto options = defect_options();
  options.preprocess.components = 6;
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto maps = test::scored(*test::prepared(options, scene), scene);
  EXPECT_EQ(maps.score.abs().max().item<float>(), 0.0F);
  EXPECT_LT(maps.sad_rad.max().item<float>(), 1e-4);
}

class Tiling : public ::testing::TestWithParam<Inference> {};

TEST_P(Tiling, DoesNotChangeTheScores) {
  auto options = test::tiny_options();
  auto& score = own(options).score;
  score.inference = GetParam();
  score.smoothing_px = 0.5;
  score.sad_weight = 1.0;
  score.mahalanobis_weight = 1.0;
  score.rx_weight = 1.0;
  own(options).learning.mask_sizes_px = {3, 5};
  const Size size{61, 150};
  auto scene = test::whole_block(test::smooth_scene(6, size, 5));
  scene.valid.narrow(0, 30, 6).narrow(1, 70, 9).fill_(false);
  scene.values.narrow(1, 30, 6).narrow(2, 70, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto pipeline = test::fitted(options, scene);
  test::expect_same_in_tiles(*pipeline, scene, 80 * 80, 3, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Passes, Tiling, ::testing::Values(Inference::plain, Inference::masked));

TEST(AutoencoderDetector, StateCarriesAllThatScoringNeeds) {
  auto options = test::tiny_options();
  own(options).network.norm = nn::Norm::batch;
  auto& score = own(options).score;
  score.mahalanobis_weight = score.rx_weight = score.sad_weight = 1.0;
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 20}, 3));
  const auto pipeline = test::prepared(options, scene);
  test::train(*pipeline, scene, 5);
  test::calibrate(*pipeline, {{scene}});
  const auto other = test::pipeline_for(options, test::regular_bands(6));
  test::load_state(*other, test::state_of(*pipeline));
  EXPECT_TRUE(torch::equal(score_of(*other, scene), score_of(*pipeline, scene)));
}

TEST(AutoencoderDetector, InvalidBlocksGiveNoScoresAndTeachNothing) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  auto nothing = test::whole_block(torch::full({6, 16, 16}, nan));
  nothing.valid.fill_(false);
  const auto pipeline = test::pipeline_for(test::tiny_options(), test::regular_bands(6));
  test::initialise(*pipeline, 1);
  test::learn_statistics(*pipeline, {{nothing}, {scene}});
  test::calibrate(*pipeline, {{nothing}, {scene}});
  EXPECT_TRUE(torch::equal(score_of(*pipeline, scene),
                           score_of(*test::fitted(test::tiny_options(), scene, 1), scene)));
  EXPECT_NEAR(score_of(*pipeline, scene).mean().item<double>(), 1.0, 1e-4);
  const auto maps = test::scored(*pipeline, nothing);
  EXPECT_TRUE(maps.score.isnan().all().item<bool>());
  EXPECT_TRUE(maps.sad_rad.isnan().all().item<bool>());
  EXPECT_FALSE(maps.valid.any().item<bool>());
}

TEST(AutoencoderDetector, LearnsFromNothingOnlyAnError) {
  auto nothing = test::whole_block(torch::zeros({6, 16, 16}));
  nothing.valid.fill_(false);
  const auto pipeline = test::pipeline_for(test::tiny_options(), test::regular_bands(6));
  pipeline->accumulate(pipeline->preprocessed(nothing));
  HYPERDEFECT_EXPECT_ERROR(pipeline->finalise(), InputError, "too few valid pixels to learn from: 0");
}

class Corruptions : public ::testing::TestWithParam<Corruption> {
 protected:
  DetectorOptions options_ = options_for(GetParam());
};

TEST_P(Corruptions, ManageOneBand) {
  const auto scene = test::whole_block(test::smooth_scene(1, {16, 16}, 3));
  const auto pipeline = test::prepared(options_, scene);
  test::train(*pipeline, scene, 2);
  test::calibrate(*pipeline, {{scene}});
  const auto score = score_of(*pipeline, scene);
  EXPECT_GE(score.min().item<float>(), 0.0F);
  EXPECT_NEAR(score.mean().item<double>(), 1.0, 1e-4);
}

TEST_P(Corruptions, LearnFromOnePixelWhatGivesUsualScores) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto pixel = test::whole_block(test::smooth_scene(6, {1, 1}, 3));
  const auto pipeline = test::prepared(options_, scene);
  test::train(*pipeline, pixel, 2);
  test::calibrate(*pipeline, {{scene}});
  EXPECT_NEAR(score_of(*pipeline, scene).mean().item<double>(), 1.0, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(AutoencoderDetector, Corruptions,
                         ::testing::Values(Corruption::mask, Corruption::synthetic_defect));

TEST(AutoencoderDetector, ScoresOnePixel) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto usual = test::whole_block(test::smooth_scene(6, {1, 1}, 3));
  auto odd = usual;
  odd.values = usual.values + 5.0;
  const auto masked = test::fitted(test::tiny_options(), scene);
  EXPECT_GT(score_of(*masked, odd).item<float>(), 10 * score_of(*masked, usual).item<float>());
  const auto identity = test::fitted(defect_options(), scene);
  EXPECT_EQ(score_of(*identity, odd).item<float>(), 0.0F);
}

TEST(AutoencoderDetector, ReducedPrecisionStaysNear) {
  auto options = test::tiny_options();
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto wanted = score_of(*test::prepared(options, scene), scene);
  options.precision = nn::Arithmetic::bfloat16;
  const auto got = score_of(*test::prepared(options, scene), scene);
  EXPECT_FALSE(torch::equal(got, wanted));
  EXPECT_LT((got - wanted).norm().item<double>(), 0.05 * wanted.norm().item<double>());
}

TEST(AutoencoderDetector, RefusesOptionsThatContradictEachOther) {
  auto options = defect_options();
  own(options).learning.defect_min_amplitude = 2.0;
  own(options).learning.defect_max_amplitude = 1.0;
  HYPERDEFECT_EXPECT_ERROR(
      test::pipeline_for(options, test::regular_bands(6)), ConfigError,
      "autoencoder.defect_min_amplitude is 2; it must not exceed autoencoder.defect_max_amplitude (1)");
  options = test::tiny_options();
  own(options).network.lift_kernel = {4, 3, 3};
  HYPERDEFECT_EXPECT_ERROR(
      test::pipeline_for(options, test::regular_bands(6)), ConfigError,
      "autoencoder.lift_kernel and lift_stride do not go together: SpectralLift: kernel must "
      "be odd");
}

TEST(AutoencoderDetector, FieldHoldsTheNetworkAndTheSmoothing) {
  auto options = test::tiny_options();
  const auto bands = test::regular_bands(6);
  const auto bare = test::pipeline_for(options, bands)->receptive_field();
  own(options).score.smoothing_px = 1.0;
  EXPECT_EQ(test::pipeline_for(options, bands)->receptive_field().halo, bare.halo + 4);
  EXPECT_EQ(bare.alignment, 8);
}

TEST(AutoencoderDetector, SummaryCountsThePasses) {
  auto options = test::tiny_options();
  const auto bands = test::regular_bands(6);
  own(options).learning.mask_sizes_px = {3, 5};
  own(options).score.mask_repeats = 2;
  const auto page = test::pipeline_for(options, bands)->summary();
  EXPECT_NE(page.find("Preprocess(bands=6"), std::string::npos) << page;
  EXPECT_NE(page.find("score: masked, 16 passes of the network"), std::string::npos) << page;
  own(options).score.inference = Inference::plain;
  EXPECT_NE(test::pipeline_for(options, bands)->summary().find("score: plain, 1 pass of the network"),
            std::string::npos);
}

}  // namespace
}  // namespace hyperdefect::detector
