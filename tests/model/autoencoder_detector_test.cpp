// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/autoencoder_detector.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

using DetectorPtr = std::shared_ptr<AutoencoderDetector>;

DetectorPtr detector_for(const DetectorOptions& options, std::int64_t bands, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  auto detector = std::make_shared<AutoencoderDetector>(options, test::regular_bands(bands));
  detector->to(test::test_device());
  detector->bind(detector->bands());
  return detector;
}

void calibrate(AutoencoderDetector& detector, const spectral::Block& scene) {
  const torch::NoGradGuard no_gradient;
  detector.eval();
  detector.calibrate(scene);
  detector.finish_calibration();
}

/// With the statistics of the scene and untrained weights.
DetectorPtr prepared(const DetectorOptions& options, const spectral::Block& scene) {
  auto detector = detector_for(options, scene.values.size(0));
  detector->observe(scene);
  detector->finish();
  detector->eval();
  return detector;
}

ScoreMaps scored(AutoencoderDetector& detector, const spectral::Block& block) {
  const torch::NoGradGuard no_gradient;
  return detector.score(block);
}

/// So many steps on batches of copies of the whole scene.
void train(AutoencoderDetector& detector, const spectral::Block& scene, int steps, std::int64_t copies = 1) {
  torch::optim::AdamW optimizer(detector.parameters(), torch::optim::AdamWOptions(0.01));
  auto generator = test::seeded(4);
  const auto block = detector.prepare(scene);
  const Batch batch{block.values.repeat({copies, 1, 1, 1}), block.valid.repeat({copies, 1, 1})};
  detector.train();
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    const auto loss = test::loss_of(detector, batch, generator);
    loss.backward();
    optimizer.step();
  }
  detector.eval();
}

DetectorOptions defect_options() {
  auto options = test::tiny_options();
  options.model.norm = "none";
  options.model.input_skip = true;
  options.model.full_resolution_block = true;
  options.model.skip_full_resolution = true;
  options.learning.corruption = "defects";
  options.learning.gain = 0.05;
  options.learning.tilt = 0.02;
  options.score.passes = "plain";
  return options;
}

/// What the network predicts for one pixel whose only component was set to `value`: the score of an
/// uncalibrated detector with one component is the distance of the two, and `value` lies above.
double prediction_for(AutoencoderDetector& detector, const spectral::Block& scene, double value) {
  const auto component = detector.prepare(scene).values[0][10][13].item<double>();
  auto changed = scene;
  changed.values = scene.values.clone();
  const auto of_spectrum = [&](double amount) {
    changed.values.select(1, 10).select(1, 13).copy_(scene.values.select(1, 10).select(1, 13) + amount);
    return detector.prepare(changed).values[0][10][13].item<double>() - component;
  };
  of_spectrum((value - component) / of_spectrum(1.0));
  return detector.prepare(changed).values[0][10][13].item<double>() -
         scored(detector, changed).score[10][13].item<double>();
}

class BlindSpot : public ::testing::TestWithParam<std::int64_t> {
 protected:
  DetectorOptions options(const std::string& passes) const {
    auto options = test::tiny_options();
    options.preprocess.components = 1;
    options.learning.hole_sizes_px = {GetParam()};
    options.score.passes = passes;
    options.score.rounds = 2;
    return options;
  }
  spectral::Block scene_ = test::whole_block(test::smooth_scene(6, {24, 24}, 2));
};

TEST_P(BlindSpot, MaskedPassesPredictAPixelWithoutSeeingIt) {
  const auto detector = prepared(options("masked"), scene_);
  const auto first = prediction_for(*detector, scene_, 20.0);
  EXPECT_LT(first, 20.0);
  EXPECT_NEAR(prediction_for(*detector, scene_, 40.0), first, 1e-4);
  EXPECT_NEAR(prediction_for(*detector, scene_, 80.0), first, 1e-4);
}

TEST_P(BlindSpot, OnePlainPassSeesIt) {
  const auto detector = prepared(options("plain"), scene_);
  EXPECT_GT(std::abs(prediction_for(*detector, scene_, 40.0) - prediction_for(*detector, scene_, 20.0)),
            0.01);
}

INSTANTIATE_TEST_SUITE_P(HoleSizes, BlindSpot, ::testing::Values(1, 3, 8));

TEST(AutoencoderDetector, DefectOfTheTrainingImageStaysVisible) {
  auto scene = test::whole_block(test::smooth_scene(8, {32, 32}, 3));
  scene.values.narrow(1, 20, 2).narrow(2, 9, 2).slice(0, 2, 5).add_(0.1);
  const auto detector = prepared(test::tiny_options(), scene);
  train(*detector, scene, 60);
  calibrate(*detector, scene);
  const auto score = scored(*detector, scene).score;
  const auto highest = std::get<1>(score.flatten().topk(4)).sort();
  const auto places = torch::tensor({20 * 32 + 9, 20 * 32 + 10, 21 * 32 + 9, 21 * 32 + 10}, torch::kLong);
  EXPECT_TRUE(torch::equal(std::get<0>(highest), places)) << std::get<0>(highest);
}

/// The mean loss over twenty ways to spoil the scene, always the same ones.
double expected_loss(AutoencoderDetector& detector, const spectral::Block& scene) {
  const torch::NoGradGuard no_gradient;
  const auto block = detector.prepare(scene);
  auto generator = test::seeded(77);
  double sum = 0.0;
  for (int i = 0; i < 20; ++i) {
    sum += test::loss_of(detector, {block.values.unsqueeze(0), block.valid.unsqueeze(0)}, generator)
               .item<double>();
  }
  return sum / 20;
}

class LossFalls : public ::testing::TestWithParam<const char*> {};

TEST_P(LossFalls, OverThirtySteps) {
  auto options = std::string(GetParam()) == "holes" ? test::tiny_options() : defect_options();
  options.learning.sad_weight = 0.1;
  options.learning.defect_fraction = 0.3;
  options.learning.defect_min_amplitude = 0.05;
  options.learning.defect_max_amplitude = 0.1;
  const auto scene = test::whole_block(test::smooth_scene(8, {32, 32}, 3));
  for (const char* loss : {"robust", "squared"}) {
    options.learning.loss = loss;
    const auto detector = prepared(options, scene);
    const auto before = expected_loss(*detector, scene);
    train(*detector, scene, 30, 4);
    EXPECT_LT(expected_loss(*detector, scene), 0.9 * before) << loss;
  }
}

INSTANTIATE_TEST_SUITE_P(Corruptions, LossFalls, ::testing::Values("holes", "defects"));

TEST(AutoencoderDetector, InvalidPixelsHaveNoLoss) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  for (const auto& options : {test::tiny_options(), defect_options()}) {
    const auto detector = prepared(options, scene);
    auto generator = test::seeded(4);
    const auto block = detector->prepare(scene);
    const auto none = torch::zeros_like(block.valid).unsqueeze(0);
    EXPECT_EQ(test::loss_of(*detector, {block.values.unsqueeze(0), none}, generator).item<double>(), 0.0);
  }
}

TEST(AutoencoderDetector, EqualGeneratorsGiveEqualLosses) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto detector = prepared(test::tiny_options(), scene);
  const auto block = detector->prepare(scene);
  const Batch batch{block.values.unsqueeze(0), block.valid.unsqueeze(0)};
  auto a = test::seeded(4);
  auto b = test::seeded(4);
  auto c = test::seeded(5);
  const auto loss = test::loss_of(*detector, batch, a).item<double>();
  EXPECT_EQ(test::loss_of(*detector, batch, b).item<double>(), loss);
  EXPECT_NE(test::loss_of(*detector, batch, c).item<double>(), loss);
}

TEST(AutoencoderDetector, BeginsAsTheIdentityWithInputSkip) {
  auto options = defect_options();
  options.preprocess.components = 6;
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto maps = scored(*prepared(options, scene), scene);
  EXPECT_EQ(maps.score.abs().max().item<float>(), 0.0F);
  EXPECT_LT(maps.sad_rad.max().item<float>(), 1e-4);
}

class Tiling : public ::testing::TestWithParam<const char*> {};

TEST_P(Tiling, DoesNotChangeTheScores) {
  auto options = test::tiny_options();
  options.score.passes = GetParam();
  options.score.smoothing_px = 0.5;
  options.score.sad_weight = 1.0;
  options.score.mahalanobis_weight = 1.0;
  options.score.rx_weight = 1.0;
  options.learning.hole_sizes_px = {3, 5};
  const Size size{61, 150};
  auto scene = test::whole_block(test::smooth_scene(6, size, 5));
  scene.valid.narrow(0, 30, 6).narrow(1, 70, 9).fill_(false);
  scene.values.narrow(1, 30, 6).narrow(2, 70, 9).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto detector = prepared(options, scene);
  calibrate(*detector, scene);
  test::expect_same_in_tiles(*detector, scene, 80 * 80, 3, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Passes, Tiling, ::testing::Values("plain", "masked"));

TEST(AutoencoderDetector, StateCarriesAllThatScoringNeeds) {
  auto options = test::tiny_options();
  options.model.norm = "batch";
  options.score.mahalanobis_weight = options.score.rx_weight = options.score.sad_weight = 1.0;
  const auto scene = test::whole_block(test::smooth_scene(6, {24, 20}, 3));
  const auto detector = prepared(options, scene);
  train(*detector, scene, 5);
  calibrate(*detector, scene);
  const auto other = detector_for(options, 6, 99);
  other->eval();
  load_state(*other, state_of(*detector), "a test");
  EXPECT_TRUE(torch::equal(scored(*other, scene).score, scored(*detector, scene).score));
}

TEST(AutoencoderDetector, InvalidBlocksGiveNoScoresAndTeachNothing) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  auto nothing = test::whole_block(torch::full({6, 16, 16}, nan));
  nothing.valid.fill_(false);
  const auto detector = detector_for(test::tiny_options(), 6);
  detector->observe(nothing);
  detector->observe(scene);
  detector->finish();
  detector->eval();
  {
    const torch::NoGradGuard no_gradient;
    detector->calibrate(nothing);
    detector->calibrate(scene);
    detector->finish_calibration();
  }
  EXPECT_NEAR(scored(*detector, scene).score.mean().item<double>(), 1.0, 1e-4);
  const auto maps = scored(*detector, nothing);
  EXPECT_TRUE(maps.score.isnan().all().item<bool>());
  EXPECT_TRUE(maps.sad_rad.isnan().all().item<bool>());
  EXPECT_FALSE(maps.valid.any().item<bool>());
}

TEST(AutoencoderDetector, LearnsFromNothingOnlyAnError) {
  auto nothing = test::whole_block(torch::zeros({6, 16, 16}));
  nothing.valid.fill_(false);
  const auto detector = detector_for(test::tiny_options(), 6);
  detector->observe(nothing);
  HYPERDEFECT_EXPECT_ERROR(detector->finish(), InputError, "too few valid pixels to learn from: 0");
}

TEST(AutoencoderDetector, ManagesOneBand) {
  const auto scene = test::whole_block(test::smooth_scene(1, {16, 16}, 3));
  for (const auto& options : {test::tiny_options(), defect_options()}) {
    const auto detector = prepared(options, scene);
    train(*detector, scene, 2);
    calibrate(*detector, scene);
    EXPECT_TRUE(torch::isfinite(scored(*detector, scene).score).all().item<bool>());
  }
}

TEST(AutoencoderDetector, ManagesOnePixel) {
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto pixel = test::whole_block(test::smooth_scene(6, {1, 1}, 3));
  for (const auto& options : {test::tiny_options(), defect_options()}) {
    const auto detector = prepared(options, scene);
    calibrate(*detector, scene);
    EXPECT_TRUE(torch::isfinite(scored(*detector, pixel).score).all().item<bool>());
    EXPECT_NO_THROW(train(*detector, pixel, 2));
  }
}

TEST(AutoencoderDetector, SamplesSpectraEvenlyOverBlocks) {
  // Twice as many pixels of one kind: about two thirds of the spectra that fill holes are of that kind.
  const auto low = test::whole_block(torch::zeros({2, 40, 100}) + 0.01 * torch::rand({2, 40, 100}));
  const auto high = test::whole_block(torch::ones({2, 40, 50}) + 0.01 * torch::rand({2, 40, 50}));
  auto options = test::tiny_options();
  options.preprocess.components = 1;
  const auto detector = detector_for(options, 2);
  detector->observe(low);
  detector->observe(high);
  detector->finish();
  const auto spectra = detector->named_buffers()["spectra"];
  EXPECT_EQ(spectra.size(0), 1024);
  const auto of_low = detector->prepare(low).values.mean().item<double>();
  const auto near_low = (spectra * of_low).gt(0).to(torch::kDouble).mean().item<double>();
  EXPECT_NEAR(near_low, 2.0 / 3, 0.05);
}

TEST(AutoencoderDetector, TrimsWhatLiesFarFromTheMeanInASecondPass) {
  auto values = torch::rand({2, 40, 40}, test::seeded(1), torch::kFloat);
  values.narrow(1, 10, 4).narrow(2, 10, 10).add_(100);
  const auto scene = test::whole_block(values);
  auto options = test::tiny_options();
  const auto mean_after = [&](double trim_fraction, int passes) {
    options.preprocess.trim_fraction = trim_fraction;
    const auto detector = detector_for(options, 2);
    for (int pass = 1; pass <= passes; ++pass) {
      detector->observe(scene);
      EXPECT_EQ(detector->finish(), pass < passes);
    }
    return detector->named_buffers()["preprocess.mean"].mean().item<double>();
  };
  EXPECT_NEAR(mean_after(0.0, 1), 3.0, 0.1);
  EXPECT_NEAR(mean_after(0.1, 2), 0.5, 0.05);
}

TEST(AutoencoderDetector, ReducedPrecisionStaysNear) {
  auto options = test::tiny_options();
  const auto scene = test::whole_block(test::smooth_scene(6, {16, 16}, 3));
  const auto exact = prepared(options, scene);
  options.model.precision = "bfloat16";
  const auto reduced = prepared(options, scene);
  const auto wanted = scored(*exact, scene).score;
  const auto got = scored(*reduced, scene).score;
  EXPECT_FALSE(torch::equal(got, wanted));
  EXPECT_LT((got - wanted).norm().item<double>(), 0.05 * wanted.norm().item<double>());
}

TEST(AutoencoderDetector, RefusesOptionsThatContradictEachOther) {
  auto options = defect_options();
  options.learning.defect_min_amplitude = 2.0;
  options.learning.defect_max_amplitude = 1.0;
  HYPERDEFECT_EXPECT_ERROR(
      detector_for(options, 6), ConfigError,
      "train.defect_min_amplitude is 2, it must not exceed train.defect_max_amplitude (1)");
  options = test::tiny_options();
  options.model.lift_kernel = {4, 3, 3};
  HYPERDEFECT_EXPECT_ERROR(
      detector_for(options, 6), ConfigError,
      "model.lift_kernel and model.lift_stride do not go together: SpectralLift: kernel must "
      "be odd");
}

TEST(AutoencoderDetector, FieldHoldsTheNetworkAndTheSmoothing) {
  auto options = test::tiny_options();
  const auto bare = detector_for(options, 6)->field();
  options.score.smoothing_px = 1.0;
  EXPECT_EQ(detector_for(options, 6)->field().halo, bare.halo + 4);
  EXPECT_EQ(bare.grid, 8);
}

TEST(AutoencoderDetector, SummaryCountsThePasses) {
  auto options = test::tiny_options();
  options.learning.hole_sizes_px = {3, 5};
  options.score.rounds = 2;
  const auto page = detector_for(options, 6)->summary();
  EXPECT_NE(page.find("Preprocess(bands=6"), std::string::npos) << page;
  EXPECT_NE(page.find("score: masked, 16 passes of the network"), std::string::npos) << page;
  options.score.passes = "plain";
  EXPECT_NE(detector_for(options, 6)->summary().find("score: plain, 1 pass of the network"),
            std::string::npos);
}

}  // namespace
}  // namespace hyperdefect::model
