// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/run_config.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/model/network.h"
#include "support/expect_error.h"

namespace hyperdefect::engine {
namespace {

RunConfig built_in(const std::string& name) {
  RunConfig config;
  schema_of(config).read_text(built_in_yaml(name), name, ".");
  return config;
}

std::string yaml_of(RunConfig config) {
  return schema_of(config).to_yaml();
}

class BuiltIn : public ::testing::TestWithParam<std::string> {};

TEST_P(BuiltIn, Loads) {
  EXPECT_NO_THROW(built_in(GetParam()));
}

TEST_P(BuiltIn, NamesEveryKey) {
  RunConfig config;
  const auto yaml = built_in_yaml(GetParam());
  for (const auto& key : schema_of(config).keys()) {
    const auto last = key.name.substr(key.name.rfind('.') + 1);
    EXPECT_NE(yaml.find(last + ":"), std::string::npos) << key.name;
  }
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
