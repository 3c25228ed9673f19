// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/pipeline.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/module_state.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

constexpr std::int64_t kBands = 6;

spectral::Block scene_of(std::uint64_t seed) {
  return test::whole_block(test::smooth_scene(kBands, {24, 20}, seed));
}

int passes_of(Pipeline& pipeline, const spectral::Block& scene) {
  int passes = 0;
  do {
    pipeline.accumulate(pipeline.preprocessed(scene));
    ++passes;
  } while (pipeline.finalise());
  return passes;
}

TEST(Pipeline, TakesAsManyPassesAsItsPartsWant) {
  const auto passes = [](const std::string& detector, double trim_fraction) {
    auto options = test::tiny_options(detector);
    options.preprocess.trim_fraction = trim_fraction;
    const auto pipeline = test::pipeline_for(options, test::regular_bands(kBands));
    return passes_of(*pipeline, scene_of(1));
  };
  EXPECT_EQ(passes("crd", 0.0), 1);
  EXPECT_EQ(passes("crd", 0.1), 2);
  EXPECT_EQ(passes("rx", 0.0), 1);
  EXPECT_EQ(passes("likelihood_ratio", 0.0), 2);
  EXPECT_EQ(passes("likelihood_ratio", 0.1), 3);
  EXPECT_EQ(passes("ensemble", 0.0), 2);
}

TEST(Pipeline, CanBeFittedAgain) {
  for (const auto* detector : {"crd", "rx", "segmenter", "ensemble"}) {
    auto options = test::tiny_options(detector);
    options.preprocess.trim_fraction = 0.1;
    const auto pipeline = test::fitted(options, scene_of(1));
    test::learn_statistics(*pipeline, {{scene_of(2)}});
    const auto wanted = test::state_of(*test::prepared(options, scene_of(2)));
    const auto state = test::state_of(*pipeline);
    for (const auto* part :
         {"preprocess.mean", "preprocess.axes", "preprocess.precision", "preprocess.sample", "detector.mean",
          "detector.precision", "detector.context.means", "detector.segmenter.context.means"}) {
      if (wanted.count(part) > 0) {
        EXPECT_TRUE(torch::equal(state.at(part), wanted.at(part))) << detector << ' ' << part;
      }
    }
  }
}

TEST(Pipeline, TakesItsBandsOutOfACubeOfOthers) {
  const auto scene = scene_of(1);
  const auto pipeline = test::fitted(test::tiny_options("crd"), scene);
  auto cube = scene;
  cube.values = torch::cat({torch::full({1, 24, 20}, -1.0), scene.values.flip(0)});
  auto bands = test::regular_bands(kBands);
  std::reverse(bands.wavelengths_nm.begin(), bands.wavelengths_nm.end());
  bands.wavelengths_nm.insert(bands.wavelengths_nm.begin(), 2000.0);
  bands.count += 1;
  EXPECT_TRUE(torch::equal(test::scored(*pipeline, cube, bands).score, test::scored(*pipeline, scene).score));
  HYPERDEFECT_EXPECT_ERROR(pipeline->picker(test::regular_bands(kBands - 1)), ModelError,
                           "the cube lacks 1 band of the model: 450 nm");
  HYPERDEFECT_EXPECT_ERROR(pipeline->picker({kBands + 1, {}, {}, {}}), ModelError,
                           "the cube has 7 bands and the model 6");
}

TEST(Pipeline, RefusesABlockOfOtherBands) {
  const auto pipeline = test::fitted(test::tiny_options("crd"), scene_of(1));
  const auto other = test::whole_block(torch::rand({kBands + 1, 4, 4}, test::seeded(1)));
  EXPECT_EQ(test::refusal([&] { pipeline->score(pipeline->preprocessed(other)); }),
            "BandTransform: expected (6, rows, cols), got [7, 4, 4]");
}

TEST(Pipeline, TrainsOnTheComponentsThatItsNetworksTake) {
  const auto scene = scene_of(1);
  auto options = test::tiny_options("ensemble");
  options.preprocess.components = 3;
  const auto pipeline = test::prepared(options, scene);
  const auto input = pipeline->training_input(pipeline->preprocessed(scene));
  EXPECT_EQ(input.sizes(), (torch::IntArrayRef{3, 24, 20}));
  // Of a network's options alone: what other members take does not matter.
  options.name = "autoencoder";
  const auto alone = test::prepared(options, scene);
  test::expect_close(input, alone->training_input(alone->preprocessed(scene)), 1e-5);
}

TEST(Pipeline, CountsItsOwnBytesAndThoseOfItsDetector) {
  const auto bytes = [](std::int64_t bins) {
    auto options = test::tiny_options("rx");
    options.preprocess.bins = bins;
    return test::pipeline_for(options, test::regular_bands(kBands))->bytes_per_pixel();
  };
  // RX takes a float and a double a band; the pipeline five floats a feature.
  EXPECT_EQ(bytes(0), kBands * 12 + kBands * 20);
  EXPECT_EQ(bytes(2), kBands * 12 + 2 * 20);
}

TEST(Pipeline, IsMadeForScoring) {
  const auto pipeline = test::pipeline_for(test::tiny_options(), test::regular_bands(kBands));
  EXPECT_FALSE(pipeline->is_training());
  EXPECT_EQ(pipeline->bands(), test::regular_bands(kBands));
  EXPECT_EQ(pipeline->summary().find("Preprocess(bands=6, transform=none, bins=6, components=4)\n"), 0U)
      << pipeline->summary();
}

}  // namespace
}  // namespace hyperdefect::detector
