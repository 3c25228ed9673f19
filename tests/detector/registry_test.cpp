// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>

#include "hyperdefect/core/error.h"
#include "hyperdefect/detector/ensemble/ensemble_detector.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/tiles.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

constexpr std::int64_t kBands = 6;

/// What holds for each detector.
class EachDetector : public ::testing::TestWithParam<Row> {
 protected:
  DetectorOptions options_ = test::tiny_options(GetParam().name);
};

INSTANTIATE_TEST_SUITE_P(Registry, EachDetector, ::testing::ValuesIn(registry().begin(), registry().end()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(EachDetector, IsMadeByItsName) {
  const preprocess::Preprocess preprocess(options_.preprocess, test::regular_bands(kBands),
                                          components_taken(options_));
  const auto detector = make_detector(options_, preprocess);
  ASSERT_NE(detector, nullptr);
  EXPECT_EQ(detector->trainable() != nullptr, a_network_learns(options_));
  EXPECT_EQ(detector->parameters().empty(), detector->trainable() == nullptr);
  EXPECT_GE(detector->receptive_field().alignment, 1);
  EXPECT_GE(detector->receptive_field().halo, 0);
  EXPECT_GT(detector->bytes_per_pixel(), 0);
  EXPECT_GE(detector->measurement_bytes_per_pixel(), static_cast<std::int64_t>(sizeof(float)));
  EXPECT_GT(detector->fusion_cap(), 0.0);
  EXPECT_NE(detector->summary().find('\n'), std::string::npos);
}

TEST_P(EachDetector, HasASectionOfItsOwn) {
  config::Schema schema;
  declare(schema, options_);
  const auto name = std::string(GetParam().name);
  auto& section = schema.section(name, "");
  EXPECT_EQ(section.help(), "The detector " + name + ": " + GetParam().help + ".");
  EXPECT_TRUE(section.traits().fixed_by_training);
  ASSERT_FALSE(section.options().empty());
  const auto has_effect = [](const config::Option& option) { return option.missing_condition().empty(); };
  const auto count = [&] {
    return std::count_if(section.options().begin(), section.options().end(), has_effect);
  };
  EXPECT_GT(count(), 0);
  for (const auto& other : member_names()) {
    options_.name = other;
    EXPECT_EQ(count() > 0, other == name) << other;
  }
  for (const auto& member : member_names()) {
    options_.name = "ensemble";
    options_.of<EnsembleOptions>().members = {member};
    EXPECT_EQ(count() > 0, name == "ensemble" || member == name) << member;
  }
}

TEST_P(EachDetector, IsNamedInTheHelpOfTheKeyThatChoosesIt) {
  config::Schema schema;
  declare(schema, options_);
  const auto* key = schema.section("model", "").find("detector");
  ASSERT_NE(key, nullptr);
  const auto name = std::string(GetParam().name);
  EXPECT_NE(key->help().find(name + ": " + GetParam().help), std::string::npos) << key->help();
  EXPECT_NE((", " + key->allowed() + ",").find(", " + name + ","), std::string::npos) << key->allowed();
  schema.set("model.detector=" + name);
  EXPECT_EQ(options_.name, name);
}

TEST_P(EachDetector, ScoresDoNotDependOnHowTheImageIsCut) {
  const auto scene = test::whole_block(test::smooth_scene(kBands, {24, 320}, 5));
  const auto pipeline = test::fitted(options_, scene);
  test::expect_same_in_tiles(*pipeline, scene, 24 * 240, 2, 1e-5);
}

bool same_bytes(const torch::Tensor& a, const torch::Tensor& b) {
  const auto left = a.contiguous();
  const auto right = b.contiguous();
  return left.sizes() == right.sizes() &&
         std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0;
}

TEST_P(EachDetector, ServesTwoThreadsAtATime) {
  const auto scene = test::whole_block(test::smooth_scene(kBands, {24, 96}, 5));
  const std::shared_ptr<const Pipeline> pipeline = test::fitted(options_, scene);
  const std::vector<spectral::Block> blocks{test::cut(scene, {0, 0, 24, 64}),
                                            test::cut(scene, {0, 32, 24, 64})};
  const auto score = [&](std::size_t i, ScoreMaps& maps) { maps = test::scored(*pipeline, blocks[i]); };
  std::vector<ScoreMaps> wanted(2);
  for (std::size_t i = 0; i < 2; ++i) {
    std::thread([&, i] { score(i, wanted[i]); }).join();
  }
  for (int repeat = 0; repeat < 4; ++repeat) {
    std::vector<ScoreMaps> got(2);
    std::thread first([&] { score(0, got[0]); });
    std::thread second([&] { score(1, got[1]); });
    first.join();
    second.join();
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(same_bytes(got[i].score, wanted[i].score)) << i;
      EXPECT_TRUE(same_bytes(got[i].sad_rad, wanted[i].sad_rad)) << i;
    }
  }
}

/// A part of the scene with its halo, of which all pixels in `window` count.
test::Part part_of(const spectral::Block& scene, const Window& window, std::int64_t halo) {
  const auto read = clipped(
      {window.row - halo, window.col - halo, window.rows + 2 * halo, window.cols + 2 * halo}, scene.image);
  auto counted = torch::zeros({scene.image.rows, scene.image.cols}, torch::kBool);
  image::crop(counted, window).fill_(true);
  return {test::cut(scene, read), image::crop(counted, read)};
}

/// To 1e-5 of each tensor's largest value.
void expect_same_state(const test::State& got, const test::State& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    const auto largest = tensor.abs().max().item<double>();
    EXPECT_LE((got.at(name) - tensor).abs().max().item<double>(), 1e-5 * largest) << name;
  }
}

TEST_P(EachDetector, StatisticsDoNotDependOnHowTheImageIsCut) {
  const Size size{44, 52};
  const auto scene = test::whole_block(test::smooth_scene(kBands, size, 5));
  const auto wanted = test::state_of(*test::prepared(options_, scene));
  const auto learned_from = [&](const Window& first, const Window& second) {
    const auto pipeline = test::pipeline_for(options_, test::regular_bands(kBands));
    test::initialise(*pipeline, 1);
    const auto halo = pipeline->statistics_reach_px();
    test::learn_statistics(*pipeline, {part_of(scene, first, halo), part_of(scene, second, halo)});
    return test::state_of(*pipeline);
  };
  expect_same_state(learned_from({0, 0, 20, 52}, {20, 0, 24, 52}), wanted);
  expect_same_state(learned_from({0, 0, 44, 31}, {0, 31, 44, 21}), wanted);
}

/// Not even from those that it may look at because what counts is near.
TEST_P(EachDetector, LearnsNothingFromPixelsThatDoNotCount) {
  constexpr std::int64_t kCounted = 20;
  const auto reach = test::pipeline_for(options_, test::regular_bands(kBands))->statistics_reach_px();
  const auto scene = test::whole_block(test::smooth_scene(kBands, {kCounted + reach + 10, 40}, 5));
  auto counted = test::all_valid(scene.image);
  counted.slice(0, kCounted).fill_(false);
  auto other = scene;
  other.values = scene.values.clone();
  other.values.slice(1, kCounted + reach).mul_(3.0);
  const auto learned_from = [&](const spectral::Block& block) {
    const auto pipeline = test::pipeline_for(options_, test::regular_bands(kBands));
    test::initialise(*pipeline, 1);
    test::learn_statistics(*pipeline, {{block, counted}});
    return test::state_of(*pipeline);
  };
  expect_same_state(learned_from(other), learned_from(scene));
}

TEST_P(EachDetector, GivesInvalidPixelsNoScoreAndOthersAFiniteOne) {
  auto scene = test::whole_block(test::smooth_scene(kBands, {24, 40}, 5));
  scene.valid.narrow(0, 3, 6).narrow(1, 30, 5).fill_(false);
  scene.values.narrow(1, 3, 6).narrow(2, 30, 5).fill_(std::numeric_limits<float>::quiet_NaN());
  const auto maps = test::scored(*test::fitted(options_, scene), scene);
  EXPECT_TRUE(torch::equal(maps.score.isfinite(), scene.valid));
  EXPECT_TRUE(torch::equal(maps.sad_rad.isfinite(), scene.valid));
  EXPECT_TRUE(torch::equal(maps.valid, scene.valid));
  EXPECT_GE(maps.score.nan_to_num(0.0).min().item<float>(), 0.0F);
}

TEST_P(EachDetector, ScoresWhatWasMeasuredInTheCalibration) {
  const auto scene = test::whole_block(test::smooth_scene(kBands, {40, 40}, 5));
  const auto pipeline = test::prepared(options_, scene);
  const torch::NoGradGuard no_gradient;
  const auto block = pipeline->preprocessed(scene);
  const auto measured = pipeline->calibrate(block);
  pipeline->finish_calibration();
  const auto maps = pipeline->score(block, measured);
  const auto again = pipeline->score(pipeline->preprocessed(scene));
  // In the calibration the segmenter measures with a block's own statistics.
  test::expect_close(maps.score, again.score, a_network_learns(options_) ? 5e-3 : 1e-6);
  test::expect_close(maps.sad_rad, again.sad_rad, 1e-5);
}

TEST(Registry, NamesAreUniqueAndAllButTheEnsembleMayBeMembers) {
  std::set<std::string> names;
  for (const auto& row : registry()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(std::string(row.help).empty());
  }
  const auto members = member_names();
  EXPECT_EQ(names.size(), members.size() + 1);
  for (const auto& member : members) {
    EXPECT_TRUE(names.count(member)) << member;
    EXPECT_NE(member, "ensemble");
  }
}

TEST(Registry, LearningIsSaidOfAnEnsembleIfAMemberLearns) {
  for (const auto& row : registry()) {
    auto options = test::tiny_options("ensemble");
    options.of<EnsembleOptions>().members = {row.name};
    EXPECT_EQ(a_network_learns(options), row.learns) << row.name;
  }
}

TEST(Registry, AnEnsembleTakesAsManyComponentsAsTheMemberThatTakesMost) {
  auto options = test::tiny_options("ensemble");
  options.preprocess.components = 2;
  options.of<AreaFilterOptions>().components = 5;
  options.of<CrdOptions>().components = 3;
  const auto taken_by = [&](std::vector<std::string> members) {
    options.of<EnsembleOptions>().members = std::move(members);
    return components_taken(options);
  };
  EXPECT_EQ(taken_by({"crd", "area_filter"}), 5);
  EXPECT_EQ(taken_by({"crd", "autoencoder"}), 3);
  options.name = "area_filter";
  EXPECT_EQ(components_taken(options), 5);
}

TEST(Registry, CopiesOfOptionsAreDeepAndAssignmentsFillInPlace) {
  auto options = test::tiny_options();
  auto& bound = options.of<CrdOptions>();
  auto copy = options;
  copy.of<CrdOptions>().lambda = 0.25;
  EXPECT_NE(bound.lambda, 0.25);
  options = copy;
  EXPECT_EQ(bound.lambda, 0.25);
  EXPECT_EQ(&options.of<CrdOptions>(), &bound);
  struct Unknown {};
  HYPERDEFECT_EXPECT_ERROR(options.of<Unknown>(), Error, "no detector has options of this type");
}

TEST(MakeDetector, RefusesUnknownNames) {
  auto options = test::tiny_options();
  options.name = "magic";
  HYPERDEFECT_EXPECT_ERROR(test::pipeline_for(options, test::regular_bands(kBands)), ConfigError,
                           "model.detector: 'magic' is unknown");
}

}  // namespace
}  // namespace hyperdefect::detector
