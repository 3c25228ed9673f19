// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/run_config.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/config_check.h"
#include "hyperdefect/model/network.h"
#include "support/expect_error.h"

namespace hyperdefect::engine {
namespace {

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
  EXPECT_EQ(schema.without_effect(), std::vector<std::string>{});
  EXPECT_NO_THROW(check_config(config));
}

TEST_P(BuiltIn, IsWholeWhateverWasSetBefore) {
  RunConfig config;
  config.train.epochs = 77;
  config.model.heads = 1;
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
  EXPECT_EQ(built_in("one_class").learning.corruption, "defects");
  EXPECT_EQ(built_in("one_class").score.passes, "plain");
  EXPECT_EQ(built_in("single_scene").learning.corruption, "holes");
  EXPECT_EQ(built_in("single_scene").score.passes, "masked");
  EXPECT_EQ(built_in("single_scene_fast").model.fused, (std::vector<std::string>{"area_filter", "rx"}));
  EXPECT_EQ(built_in("single_scene_fast").score.spot_weight, built_in("single_scene").score.spot_weight);
  EXPECT_EQ(built_in("rx").model.detector, "rx");
}

TEST(BuiltInConfigs, PlainNetworksHaveNoneOfTheBlocks) {
  const auto whole = built_in("single_scene");
  auto plain = built_in("single_scene_plain");
  EXPECT_EQ(plain.model.lift, "linear");
  EXPECT_EQ(plain.model.heads + plain.segmenter.heads, 0);
  EXPECT_EQ(plain.model.skip, "none");
  EXPECT_FALSE(plain.model.residual);
  plain.model = whole.model;
  plain.segmenter.heads = whole.segmenter.heads;
  EXPECT_EQ(yaml_of(plain), yaml_of(whole)) << "in all else they are alike";
}

TEST(BuiltInConfigs, UnknownNameListsThem) {
  HYPERDEFECT_EXPECT_ERROR(built_in_yaml("magic"), UsageError,
                           "no configuration named 'magic' is built in: take one of one_class, single_scene, "
                           "single_scene_plain, single_scene_fast, rx");
}

TEST(BuiltInConfigs, OneClassFollowsACameraOnTwoCores) {
  const auto config = built_in("one_class");
  for (const std::int64_t bands : {60, 300}) {
    const auto features = config.preprocess.bins > 0 ? std::min(config.preprocess.bins, bands) : bands;
    model::Network network(config.model, features, std::min(config.preprocess.components, features));
    EXPECT_LE(network->multiply_adds_per_pixel(), 200'000) << bands << " bands";
  }
}

TEST(RunConfig, SetOverridesWhatAFileSays) {
  auto config = built_in("one_class");
  auto schema = schema_of(config);
  schema.set("train.epochs=3");
  schema.set("model.features=[8, 8]");
  schema.set("model.likelihood_mixture=2");
  schema.set("data.no_data=[-9999]");
  schema.set("score.passes=masked");
  EXPECT_EQ(config.train.epochs, 3);
  EXPECT_EQ(config.model.features, (std::vector<std::int64_t>{8, 8}));
  EXPECT_EQ(config.likelihood.mixture, 2);
  EXPECT_EQ(config.data.no_data, (std::vector<double>{-9999}));
  EXPECT_EQ(config.score.passes, "masked");
  EXPECT_EQ(config.model.norm, "none");
}

TEST(RunConfig, RefusesWhatItDoesNotKnow) {
  RunConfig config;
  auto schema = schema_of(config);
  for (const char* wrong :
       {"train.epochs=0", "model.detector=magic", "model.features=[8]", "threshold.quantile=1.5",
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
  EXPECT_EQ(config.model.detector, "rx");
  EXPECT_EQ(config.train.epochs, 7);
}

/// The line about the only key that was set, or "".
std::string told_of(const std::string& name, const std::vector<std::string>& assignments) {
  auto config = built_in(name);
  auto schema = file_schema_of(config);
  for (const auto& assignment : assignments) {
    schema.set(assignment);
  }
  return text::join(schema.without_effect(), "\n");
}

TEST(RunConfig, TellsWhatHasNoEffect) {
  EXPECT_EQ(told_of("one_class", {"threshold.value=3"}),
            "threshold.value = 3 has no effect: it is used only if threshold.method is manual");
  EXPECT_EQ(told_of("one_class", {"threshold.value=3", "threshold.method=manual"}), "");
  EXPECT_EQ(told_of("single_scene", {"threshold.quantile=0.5"}),
            "threshold.quantile = 0.5 has no effect: it is used only if threshold.method is quantile");
  EXPECT_EQ(
      told_of("rx", {"model.heads=2"}),
      "model.heads = 2 has no effect: it is used only if model.detector is autoencoder, or fused with it");
  EXPECT_EQ(
      told_of("single_scene_fast", {"train.epochs=3"}),
      "train.epochs = 3 has no effect: it is used only if model.detector is autoencoder or segmenter, or "
      "fused with one of them");
  EXPECT_EQ(
      told_of("one_class", {"model.segmenter_networks=2"}),
      "model.segmenter_networks = 2 has no effect: it is used only if model.detector is segmenter, or fused "
      "with it");
  EXPECT_EQ(told_of("one_class", {"train.patience=2"}),
            "train.patience = 2 has no effect: it is used only if train.holdout_fraction is above 0");
  EXPECT_EQ(told_of("single_scene", {"train.defect_weight=9"}),
            "train.defect_weight = 9 has no effect: it is used only if train.corruption is defects");
  EXPECT_EQ(told_of("rx", {"output.parts=true"}),
            "output.parts = true has no effect: it is used only if model.detector is fused");
  EXPECT_EQ(told_of("rx", {"preprocess.log_floor=0.1"}).find("preprocess.log_floor = 0.1 has no effect"), 0U);
  EXPECT_EQ(told_of("rx", {"train.epochs=20", "data.no_data=[3]", "run.seed=5"}), "") << "20 is the default";
}

TEST(RunConfig, IsCheckedAsAWholeBeforeAnyCubeIsRead) {
  const auto faults = std::vector<std::pair<std::vector<std::string>, std::string>>{
      {{"model.fused_weights=[1, 2, 3]"}, "model.fused_weights has 3 entries"},
      {{"model.fused=[rx, rx]", "model.fused_weights=[]"}, "model.fused names a detector twice"},
      {{"model.heads=5"}, "model.heads is 5, it must divide"},
      {{"preprocess.min_wavelength_nm=900", "preprocess.max_wavelength_nm=500"},
       "preprocess.min_wavelength_nm is 900, it must not exceed preprocess.max_wavelength_nm (500)"},
      {{"preprocess.drop_ranges_nm=[1, 2, 3]"}, "preprocess.drop_ranges_nm holds 3"},
      {{"train.defect_min_amplitude=2"}, "train.defect_min_amplitude is 2"},
      {{"model.detector=local_rx", "model.local_inner_px=9", "model.local_outer_px=7"},
       "model.local_inner_px is 9"}};
  for (const auto& [assignments, message] : faults) {
    auto config = built_in("one_class");
    auto schema = file_schema_of(config);
    for (const auto& assignment : assignments) {
      schema.set(assignment);
    }
    HYPERDEFECT_EXPECT_ERROR(check_config(config), ConfigError, message);
  }
  auto narrow = built_in("one_class");
  narrow.preprocess.drop_bands = {5000};
  narrow.preprocess.min_wavelength_nm = 8000;
  EXPECT_NO_THROW(check_config(narrow)) << "another cube may have such bands";
}

TEST(RunConfig, KeysOfOneSectionMayComeFromTwoStructs) {
  RunConfig config;
  schema_of(config).read_text("train:\n  epochs: 7\n  corruption: defects\n", "a file", ".");
  EXPECT_EQ(config.train.epochs, 7);
  EXPECT_EQ(config.learning.corruption, "defects");
}

TEST(RunConfig, EveryKeyIsExplained) {
  RunConfig config;
  for (const auto& key : schema_of(config).keys()) {
    EXPECT_GT(key.help.size(), 15U) << key.name;
    EXPECT_EQ(key.help.back(), '.') << key.name;
  }
}

}  // namespace
}  // namespace hyperdefect::engine
