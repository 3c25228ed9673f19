// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/run_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/detector/ensemble/ensemble_detector.h"
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_options.h"
#include "hyperdefect/detector/segmenter/segmenter_options.h"
#include "hyperdefect/model/config_check.h"
#include "hyperdefect/nn/network.h"
#include "support/expect_error.h"
#include "support/test_data.h"

namespace hyperdefect::model {
namespace {

using detector::AutoencoderOptions;
using detector::EnsembleOptions;
using detector::LikelihoodRatioOptions;
using detector::SegmenterOptions;

RunConfig built_in(const std::string& name) {
  RunConfig config;
  read_built_in(name, config);
  return config;
}

std::string yaml_of(RunConfig config) {
  return schema_of(config).to_yaml();
}

class BuiltIn : public ::testing::TestWithParam<std::string> {};

TEST_P(BuiltIn, Loads) {
  EXPECT_NO_THROW(built_in(GetParam()));
}

/// What a file repeats of the configuration that it extends, it would have to follow by hand.
TEST_P(BuiltIn, NamesOnlyWhatDiffers) {
  const auto yaml = built_in_yaml(GetParam());
  const auto base = yaml.find("extends: defaults\n") != std::string::npos ? std::string() : "single_scene";
  RunConfig config = base.empty() ? RunConfig{} : built_in(base);
  const auto before = schema_of(config).keys();
  auto schema = file_schema_of(config);
  schema.read_text(yaml, GetParam(), ".");
  const auto after = schema.keys();
  EXPECT_FALSE(schema.assigned().empty());
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (schema.was_set(before[i].name)) {
      EXPECT_NE(before[i].value_text, after[i].value_text) << before[i].name;
    }
  }
}

TEST_P(BuiltIn, SetsNothingInVainAndContradictsNothing) {
  RunConfig config;
  auto schema = file_schema_of(config);
  schema.read_text(built_in_yaml(GetParam()), GetParam(), ".");
  EXPECT_EQ(schema.remarks(), std::vector<std::string>{});
  EXPECT_NO_THROW(check_config(config));
}

TEST_P(BuiltIn, IsWholeWhateverWasSetBefore) {
  RunConfig config;
  config.train.epochs = 77;
  config.detector.of<AutoencoderOptions>().network.heads = 1;
  config.threshold.sigma = 5;
  read_built_in(GetParam(), config);
  EXPECT_EQ(yaml_of(config), yaml_of(built_in(GetParam())));
}

TEST_P(BuiltIn, RoundTripsThroughYaml) {
  const auto yaml = yaml_of(built_in(GetParam()));
  RunConfig again;
  schema_of(again).read_text(yaml, "again", ".");
  EXPECT_EQ(yaml_of(again), yaml);
}

INSTANTIATE_TEST_SUITE_P(Names, BuiltIn, ::testing::ValuesIn(built_in_names()),
                         [](const auto& name) { return name.param; });

TEST(BuiltInConfigs, DifferInTheirDetectors) {
  const auto autoencoder_of = [](const char* name) {
    return built_in(name).detector.of<AutoencoderOptions>();
  };
  const auto ensemble_of = [](const char* name) { return built_in(name).detector.of<EnsembleOptions>(); };
  EXPECT_EQ(autoencoder_of("one_class").learning.corruption, detector::Corruption::synthetic_defect);
  EXPECT_EQ(autoencoder_of("one_class").score.inference, detector::Inference::plain);
  EXPECT_EQ(autoencoder_of("single_scene").learning.corruption, detector::Corruption::mask);
  EXPECT_EQ(autoencoder_of("single_scene").score.inference, detector::Inference::masked);
  EXPECT_EQ(ensemble_of("single_scene_fast").members, (std::vector<std::string>{"area_filter", "rx"}));
  EXPECT_EQ(ensemble_of("single_scene_fast").compact_weight, ensemble_of("single_scene").compact_weight);
  EXPECT_EQ(built_in("rx").detector.name, "rx");
}

TEST(BuiltInConfigs, PlainNetworksHaveNoneOfTheBlocks) {
  const auto whole = built_in("single_scene");
  auto plain = built_in("single_scene_plain");
  auto& network = plain.detector.of<AutoencoderOptions>().network;
  auto& segmenter = plain.detector.of<SegmenterOptions>();
  EXPECT_EQ(network.lift, nn::Lift::linear);
  EXPECT_EQ(network.heads, 0);
  EXPECT_EQ(segmenter.heads, 0);
  EXPECT_EQ(network.skip, nn::Skip::none);
  EXPECT_FALSE(network.residual);
  network = whole.detector.of<AutoencoderOptions>().network;
  segmenter.heads = whole.detector.of<SegmenterOptions>().heads;
  EXPECT_EQ(yaml_of(plain), yaml_of(whole)) << "in all else they are alike";
}

TEST(BuiltInConfigs, UnknownNameListsThem) {
  HYPERDEFECT_EXPECT_ERROR(built_in_yaml("magic"), UsageError,
                           "no configuration named 'magic' is built in: choose one of one_class, "
                           "single_scene, single_scene_plain, single_scene_fast, rx");
}

TEST(BuiltInConfigs, OneClassFollowsACameraOnTwoCores) {
  const auto config = built_in("one_class");
  const auto& preprocess = config.detector.preprocess;
  ASSERT_GT(preprocess.bins, 0);
  for (const std::int64_t bands : {60, 300}) {
    const auto features = std::min(preprocess.bins, bands);
    const auto components = std::min(preprocess.components, features);
    nn::Network network(config.detector.of<AutoencoderOptions>().network, features, components, components);
    EXPECT_LE(network->multiply_adds_per_pixel(), 200'000) << bands << " bands";
  }
}

TEST(RunConfig, SetOverridesWhatAFileSays) {
  auto config = built_in("one_class");
  auto schema = schema_of(config);
  schema.set("train.epochs=3");
  schema.set("autoencoder.features=[8, 8]");
  schema.set("likelihood_ratio.mixture=2");
  schema.set("data.no_data=[-9999]");
  schema.set("autoencoder.inference=masked");
  EXPECT_EQ(config.train.epochs, 3);
  EXPECT_EQ(config.detector.of<AutoencoderOptions>().network.features, (std::vector<std::int64_t>{8, 8}));
  EXPECT_EQ(config.detector.of<LikelihoodRatioOptions>().mixture, 2);
  EXPECT_EQ(config.data.no_data, (std::vector<double>{-9999}));
  EXPECT_EQ(config.detector.of<AutoencoderOptions>().score.inference, detector::Inference::masked);
  EXPECT_EQ(config.detector.of<AutoencoderOptions>().network.norm, nn::Norm::none);
}

TEST(RunConfig, RefusesWhatItDoesNotKnow) {
  RunConfig config;
  auto schema = schema_of(config);
  for (const char* wrong :
       {"train.epochs=0", "model.detector=magic", "autoencoder.features=[8]", "threshold.quantile=1.5",
        "data.wavelength_unit=feet", "run.ram_mb=1", "train.epoch=3"}) {
    EXPECT_THROW(schema.set(wrong), ConfigError) << wrong;
  }
  EXPECT_EQ(yaml_of(config), yaml_of(RunConfig{}));
}

/// A model file may come from anywhere: it names no files.
TEST(RunConfig, OnlyFilesOfTheUserExtendOthers) {
  RunConfig config;
  HYPERDEFECT_EXPECT_ERROR(schema_of(config).read_text("extends: rx\n", "a model", "."), ConfigError,
                           "a model:1: extends: unknown section");
  file_schema_of(config).read_text("extends: rx\ntrain: {epochs: 7}\n", "a file", ".");
  EXPECT_EQ(config.detector.name, "rx");
  EXPECT_EQ(config.train.epochs, 7);
}

/// The line about the only key that was set, or "".
std::string told_of(const std::string& name, const std::vector<std::string>& assignments) {
  auto config = built_in(name);
  auto schema = file_schema_of(config);
  for (const auto& assignment : assignments) {
    schema.set(assignment);
  }
  return text::join(schema.remarks(), "\n");
}

TEST(RunConfig, TellsWhatHasNoEffect) {
  EXPECT_EQ(told_of("one_class", {"threshold.value=3"}),
            "threshold.value = 3 has no effect: it is used only if threshold.method is manual");
  EXPECT_EQ(told_of("one_class", {"threshold.value=3", "threshold.method=manual"}), "");
  EXPECT_EQ(told_of("single_scene", {"threshold.quantile=0.5"}),
            "threshold.quantile = 0.5 has no effect: it is used only if threshold.method is quantile");
  EXPECT_EQ(told_of("rx", {"autoencoder.heads=2"}),
            "autoencoder.heads = 2 has no effect: it is used only if model.detector is autoencoder, or "
            "ensemble with it");
  EXPECT_EQ(
      told_of("single_scene_fast", {"train.epochs=3"}),
      "train.epochs = 3 has no effect: it is used only if model.detector is autoencoder or segmenter, or "
      "ensemble with one of them");
  EXPECT_EQ(
      told_of("one_class", {"segmenter.networks=2"}),
      "segmenter.networks = 2 has no effect: it is used only if model.detector is segmenter, or ensemble "
      "with it");
  EXPECT_EQ(told_of("one_class", {"train.patience=2"}),
            "train.patience = 2 has no effect: it is used only if train.holdout_fraction is above 0");
  EXPECT_EQ(told_of("single_scene", {"autoencoder.defect_weight=9"}),
            "autoencoder.defect_weight = 9 has no effect: it is used only if autoencoder.corruption is "
            "synthetic_defect");
  EXPECT_EQ(told_of("rx", {"output.parts=true"}),
            "output.parts = true has no effect: it is used only if model.detector is ensemble");
  EXPECT_EQ(told_of("rx", {"preprocess.log_floor=0.1"}).find("preprocess.log_floor = 0.1 has no effect"), 0U);
  EXPECT_EQ(told_of("rx", {"train.epochs=20", "data.no_data=[3]", "run.seed=5"}), "") << "20 is the default";
}

TEST(RunConfig, IsCheckedAsAWholeBeforeAnyCubeIsRead) {
  const auto faults = std::vector<std::pair<std::vector<std::string>, std::string>>{
      {{"ensemble.weights=[1, 2, 3]"}, "ensemble.weights has 3 entries"},
      {{"ensemble.members=[rx, rx]", "ensemble.weights=[]"}, "ensemble.members names a detector twice"},
      {{"autoencoder.heads=5"}, "autoencoder.heads is 5; it must divide"},
      {{"preprocess.min_wavelength_nm=900", "preprocess.max_wavelength_nm=500"},
       "preprocess.min_wavelength_nm is 900; it must not exceed preprocess.max_wavelength_nm (500)"},
      {{"preprocess.drop_ranges_nm=[1, 2, 3]"}, "preprocess.drop_ranges_nm holds 3"},
      {{"autoencoder.defect_min_amplitude=2"}, "autoencoder.defect_min_amplitude is 2"},
      {{"model.detector=local_rx", "local_rx.inner_px=9", "local_rx.outer_px=7"}, "local_rx.inner_px is 9"}};
  for (const auto& [assignments, message] : faults) {
    auto config = built_in("one_class");
    auto schema = file_schema_of(config);
    for (const auto& assignment : assignments) {
      schema.set(assignment);
    }
    HYPERDEFECT_EXPECT_ERROR(check_config(config), ConfigError, message);
  }
  auto narrow = built_in("one_class");
  narrow.detector.preprocess.drop_bands = {5000};
  narrow.detector.preprocess.min_wavelength_nm = 8000;
  EXPECT_NO_THROW(check_config(narrow)) << "another cube may have such bands";
}

/// A key's former name, its name, and a value that is not its default.
struct Renamed {
  const char* former;
  const char* now;
  const char* value;
};

const std::vector<Renamed>& renamed_keys() {
  static const std::vector<Renamed> all{
      {"preprocess.noise_limit", "preprocess.max_noise_fraction", "0.75"},
      {"preprocess.power", "preprocess.whitening_exponent", "0.75"},
      {"model.fused", "ensemble.members", "[rx, crd]"},
      {"model.fused_weights", "ensemble.weights", "[1, 2, 3, 4]"},
      {"score.spot_weight", "ensemble.compact_weight", "7"},
      {"score.spot_area_px", "ensemble.compact_area_px", "7"},
      {"model.features", "autoencoder.features", "[8, 12]"},
      {"model.norm", "autoencoder.norm", "batch"},
      {"model.residual", "autoencoder.residual", "false"},
      {"model.full_resolution_block", "autoencoder.full_resolution_block", "true"},
      {"model.decoder_blocks", "autoencoder.decoder_blocks", "true"},
      {"model.input_skip", "autoencoder.input_skip", "true"},
      {"model.lift", "autoencoder.lift", "full"},
      {"model.lift_channels", "autoencoder.lift_channels", "7"},
      {"model.lift_kernel", "autoencoder.lift_kernel", "[5, 1, 1]"},
      {"model.lift_stride", "autoencoder.lift_stride", "[2, 1, 1]"},
      {"model.lift_residual", "autoencoder.lift_residual", "true"},
      {"model.skip", "autoencoder.skip", "add"},
      {"model.skip_channels", "autoencoder.skip_channels", "7"},
      {"model.skip_full_resolution", "autoencoder.skip_full_resolution", "true"},
      {"model.heads", "autoencoder.heads", "2"},
      {"model.upsample", "autoencoder.upsample", "nearest"},
      {"train.corruption", "autoencoder.corruption", "synthetic_defect"},
      {"train.hole_sizes_px", "autoencoder.mask_sizes_px", "[7]"},
      {"train.hole_fraction", "autoencoder.mask_fraction", "0.75"},
      {"train.defect_fraction", "autoencoder.defect_fraction", "0.75"},
      {"train.defect_max_px", "autoencoder.defect_max_px", "7"},
      {"train.defect_min_amplitude", "autoencoder.defect_min_amplitude", "0.75"},
      {"train.defect_max_amplitude", "autoencoder.defect_max_amplitude", "7"},
      {"train.defect_weight", "autoencoder.defect_weight", "7"},
      {"train.gain", "autoencoder.gain", "0.75"},
      {"train.tilt", "autoencoder.tilt", "0.75"},
      {"train.loss", "autoencoder.loss", "squared"},
      {"train.sad_weight", "autoencoder.sad_loss_weight", "7"},
      {"score.passes", "autoencoder.inference", "plain"},
      {"score.rounds", "autoencoder.mask_repeats", "7"},
      {"score.residual_weight", "autoencoder.residual_weight", "7"},
      {"score.sad_weight", "autoencoder.sad_weight", "7"},
      {"score.mahalanobis_weight", "autoencoder.mahalanobis_weight", "7"},
      {"score.rx_weight", "autoencoder.rx_weight", "7"},
      {"score.smoothing_px", "autoencoder.smoothing_px", "7"},
      {"model.segmenter_features", "segmenter.features", "[8, 12]"},
      {"model.segmenter_heads", "segmenter.heads", "2"},
      {"model.segmenter_networks", "segmenter.networks", "7"},
      {"model.segmenter_draws", "segmenter.sign_augmentations", "7"},
      {"model.segmenter_share", "segmenter.step_fraction", "0.75"},
      {"model.segmenter_bound", "segmenter.fusion_cap", "7"},
      {"model.likelihood_components", "likelihood_ratio.components", "7"},
      {"model.likelihood_mixture", "likelihood_ratio.mixture", "7"},
      {"model.likelihood_window_px", "likelihood_ratio.window_px", "9"},
      {"model.likelihood_global_weight", "likelihood_ratio.global_weight", "7"},
      {"model.likelihood_local_weight", "likelihood_ratio.local_weight", "7"},
      {"model.likelihood_coherence_weight", "likelihood_ratio.coherence_weight", "7"},
      {"model.likelihood_gain", "likelihood_ratio.gain", "7"},
      {"model.likelihood_tilt", "likelihood_ratio.tilt", "7"},
      {"model.rx_components", "rx.components", "7"},
      {"model.rx_smoothing_px", "rx.smoothing_px", "7"},
      {"model.area_components", "area_filter.components", "7"},
      {"model.area_power", "area_filter.whitening_exponent", "0.75"},
      {"model.area_sizes_px", "area_filter.sizes_px", "[7]"},
      {"model.area_extent", "area_filter.max_elongation", "7"},
      {"model.area_smoothing_px", "area_filter.smoothing_px", "7"},
      {"model.local_components", "local_rx.components", "7"},
      {"model.local_inner_px", "local_rx.inner_px", "7"},
      {"model.local_outer_px", "local_rx.outer_px", "9"},
      {"model.local_shrinkage", "local_rx.shrinkage", "0.75"},
      {"model.local_smoothing_px", "local_rx.smoothing_px", "7"},
      {"model.crd_components", "crd.components", "7"},
      {"model.crd_power", "crd.whitening_exponent", "0.75"},
      {"model.crd_inner_px", "crd.inner_px", "9"},
      {"model.crd_outer_px", "crd.outer_px", "9"},
      {"model.crd_lambda", "crd.lambda", "7"},
      {"model.crd_smoothing_px", "crd.smoothing_px", "7"},
      {"threshold.far", "threshold.pixel_rate", "0.75"}};
  return all;
}

/// A former value of a key that was or was not renamed, and what stands for it now.
const std::vector<std::pair<std::string, std::string>>& renamed_values() {
  static const std::vector<std::pair<std::string, std::string>> all{
      {"model.detector=fused", "model.detector=ensemble"},
      {"model.detector=likelihood", "model.detector=likelihood_ratio"},
      {"model.fused=[likelihood, rx]", "ensemble.members=[likelihood_ratio, rx]"},
      {"train.corruption=defects", "autoencoder.corruption=synthetic_defect"},
      {"score.calibration=robust", "score.calibration=mad"},
      {"threshold.method=far", "threshold.method=false_alarm_rate"}};
  return all;
}

/// The configuration after the assignments.
std::string yaml_after(const std::vector<std::string>& assignments) {
  RunConfig config;
  auto schema = schema_of(config);
  for (const auto& assignment : assignments) {
    schema.set(assignment);
  }
  return schema.to_yaml();
}

std::string renamed_line(const Renamed& key) {
  return text::concat(key.former, " is now called ", key.now, "; the former name is still read");
}

TEST(FormerKeys, SetWhatTheirNewNamesSet) {
  const auto defaults = yaml_of(RunConfig{});
  for (const auto& key : renamed_keys()) {
    const auto former = text::concat(key.former, '=', key.value);
    EXPECT_EQ(yaml_after({former}), yaml_after({text::concat(key.now, '=', key.value)})) << former;
    EXPECT_NE(yaml_after({former}), defaults) << former;
  }
}

/// A key that was renamed twice.
TEST(FormerKeys, EachFormerNameIsRead) {
  EXPECT_EQ(yaml_after({"threshold.false_alarm_rate=0.75"}), yaml_after({"threshold.pixel_rate=0.75"}));
}

TEST(FormerKeys, ValuesMeanWhatTheyMeant) {
  const auto defaults = yaml_of(RunConfig{});
  for (const auto& [former, now] : renamed_values()) {
    EXPECT_EQ(yaml_after({former}), yaml_after({now})) << former;
    EXPECT_NE(yaml_after({former}), defaults) << former;
  }
  // What is the default now had another name too.
  EXPECT_EQ(yaml_after({"train.corruption=defects", "train.corruption=holes"}), defaults);
  EXPECT_EQ(yaml_after({"train.loss=squared", "train.loss=robust"}), defaults);
  EXPECT_EQ(yaml_after({"score.calibration=none", "score.calibration=tail"}), defaults);
  EXPECT_EQ(yaml_after({"score.calibration=none", "score.calibration=pareto_tail"}), defaults);
}

TEST(FormerKeys, AreEachRemarkedOnce) {
  std::vector<std::string> wrong;
  for (const auto& key : renamed_keys()) {
    RunConfig config;
    auto schema = schema_of(config);
    const auto assignment = text::concat(key.former, '=', key.value);
    schema.set(assignment);
    schema.set(assignment);
    const auto remarks = schema.remarks();
    if (std::count(remarks.begin(), remarks.end(), renamed_line(key)) != 1) {
      wrong.emplace_back(key.former);
    }
  }
  EXPECT_EQ(wrong, std::vector<std::string>());
}

/// Files that were written for the former names say what the built-in configurations of today say.
TEST_P(BuiltIn, IsWhatItsFormerFileSays) {
  const auto file =
      std::filesystem::path(test::files_dir()) / "former_configs" / text::concat(GetParam(), ".yaml");
  RunConfig config;
  auto schema = file_schema_of(config);
  schema.read_file(file);
  EXPECT_EQ(yaml_of(config), yaml_of(built_in(GetParam())));
  std::vector<std::string> wanted;
  for (const auto& key : renamed_keys()) {
    wanted.push_back(renamed_line(key));
  }
  auto remarks = schema.remarks();
  std::sort(wanted.begin(), wanted.end());
  std::sort(remarks.begin(), remarks.end());
  std::vector<std::string> missing;
  std::set_difference(wanted.begin(), wanted.end(), remarks.begin(), remarks.end(),
                      std::back_inserter(missing));
  EXPECT_EQ(missing, std::vector<std::string>()) << "the former file names every key";
}

TEST(RunConfig, EachDetectorHasASectionOfItsName) {
  RunConfig config;
  schema_of(config).read_text("train:\n  epochs: 7\nautoencoder:\n  corruption: synthetic_defect\n", "a file",
                              ".");
  EXPECT_EQ(config.train.epochs, 7);
  EXPECT_EQ(config.detector.of<AutoencoderOptions>().learning.corruption,
            detector::Corruption::synthetic_defect);
}

/// A section may be split between what is new and what was renamed.
TEST(RunConfig, FormerKeysMayStandBesideOthersOfTheirSection) {
  RunConfig config;
  schema_of(config).read_text("train:\n  epochs: 7\n  corruption: defects\n", "a file", ".");
  EXPECT_EQ(config.train.epochs, 7);
  EXPECT_EQ(config.detector.of<AutoencoderOptions>().learning.corruption,
            detector::Corruption::synthetic_defect);
}

TEST(RunConfig, EveryKeyIsExplained) {
  RunConfig config;
  std::map<config::Level, int> levels;
  for (const auto& key : schema_of(config).keys()) {
    ++levels[key.level];
    EXPECT_GT(key.help.size(), 15U) << key.name;
    EXPECT_EQ(key.help.back(), '.') << key.name;
  }
  EXPECT_EQ(levels.size(), 3U) << "there are keys of each level";
  EXPECT_LT(levels[config::Level::basic], 40) << "the basic keys are few enough to be read";
}

}  // namespace
}  // namespace hyperdefect::model
