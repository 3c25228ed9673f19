// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "hyperdefect/io/map_reader.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

/// An RX model of six cubes, and what may befall a seventh.
class Drift : public ::testing::Test {
 protected:
  void train(const std::vector<std::string>& more = {}) {
    for (std::uint64_t i = 1; i <= 6; ++i) {
      write_cube(folder_ / "train" / (std::to_string(i) + ".img"), cube(i));
    }
    const auto outcome = run_program(
        joined(joined({"train", folder_ / "train", "-o", model_}, joined(rx(), without_rates())), more));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    told_ = outcome.out;
  }

  /// A smooth product with a little noise; cubes differ in brightness by a few percent.
  static torch::Tensor cube(std::uint64_t seed) {
    const auto along = torch::linspace(0, 3, 24).sin().view({1, 24, 1});
    const auto spectrum = torch::linspace(0.3, 0.6, 8).view({8, 1, 1});
    const auto noise = mixtures(8, 24, 20, seed) - 0.5;
    return (spectrum * (1 + 0.1 * along) + 0.01 * noise) * (1 + 0.01 * static_cast<double>(seed % 3));
  }

  nlohmann::json judged(const std::string& name, const torch::Tensor& values,
                        const std::vector<std::string>& more = {}) {
    const auto file = write_cube(folder_ / "new" / (name + ".img"), values);
    const auto outcome = run_program(
        joined({"infer", "-m", model_, file, "-o", folder_ / "maps", "--overwrite", "--threads", "1"}, more));
    exit_code_ = outcome.exit_code;
    told_ = outcome.out;
    return nlohmann::json::parse(read_bytes(folder_ / "maps" / (name + ".json")));
  }

  void expect_undecided(const std::string& name, const torch::Tensor& values, const std::string& why) {
    const auto row = judged(name, values);
    EXPECT_EQ(row["verdict"], "undecided") << name;
    EXPECT_LT(row["drift"].get<double>(), 0.0001) << name;
    EXPECT_TRUE(contains(row["reason"], "as a whole it differs from the training cubes (drift is "))
        << row["reason"];
    EXPECT_TRUE(contains(row["reason"], why)) << row["reason"];
    EXPECT_TRUE(contains(told_, why)) << told_;
    EXPECT_EQ(exit_code_, 5) << name;
  }

  TempDir folder_;
  std::string model_ = (folder_ / "m.safetensors").string();
  std::string told_;
  int exit_code_ = -1;
};

TEST_F(Drift, LeavesACubeUndecidedAndSaysWhatMoved) {
  train();
  EXPECT_TRUE(contains(told_, "drift: a cube is undecided if it differs by about ")) << told_;
  const auto usual = judged("usual", cube(7));
  EXPECT_NE(usual["verdict"], "undecided") << usual["reason"];
  EXPECT_GT(usual["drift"].get<double>(), 0.001);
  const auto axis = torch::linspace(-1, 1, 8).view({8, 1, 1});
  expect_undecided("brighter", cube(7) * 1.25, "brighter by ");
  expect_undecided("darker", cube(7) * 0.8, "darker by ");
  expect_undecided("tilted", cube(7) * (1 + 0.2 * axis), "at 850 nm against 500 nm");
  expect_undecided("lamp", cube(7) * (1 + 0.3 * (4 * axis).sin()), "another shape of the spectrum");
  expect_undecided("units", cube(7) * 10000, "as if in other units");
  expect_undecided("noisy", cube(7) + 0.1 * torch::randn({8, 24, 20}), "noise?");
}

/// A point spectrometer writes one column.
TEST_F(Drift, IsMeasuredInCubesOfAnyShape) {
  train();
  const auto row = judged("column", cube(7).slice(2, 4, 5).contiguous());
  EXPECT_GT(row["drift"].get<double>(), 0.0001) << row["reason"];
  EXPECT_GT(judged("row", cube(7).slice(1, 4, 5).contiguous())["drift"].get<double>(), 0.0001);
  EXPECT_TRUE(judged("few", cube(7).slice(1, 4, 5).slice(2, 0, 12).contiguous())["drift"].is_null());
  EXPECT_GT(judged("wide", cube(7).repeat({1, 20, 20}))["drift"].get<double>(), 0.0001);
  const auto long_column = cube(7).slice(2, 4, 5).repeat({1, 6000, 1});
  EXPECT_GT(judged("long", long_column)["drift"].get<double>(), 0.0001);
  expect_undecided("negative", cube(7) - 5, "darker by a factor of ");
}

TEST_F(Drift, OfDefectsIsNone) {
  train();
  auto values = cube(7);
  values.slice(1, 2, 6).slice(2, 3, 8).copy_(
      mixtures_with_defect(8, 24, 20, 7).slice(1, 2, 3).slice(2, 3, 4));
  const auto row = judged("defect", values);
  EXPECT_EQ(row["verdict"], "rejected") << row["reason"];
  EXPECT_GT(row["drift"].get<double>(), 0.0001);
}

TEST_F(Drift, IsAnsweredBeforeDefects) {
  train();
  auto values = cube(7) * 2;
  values.slice(1, 2, 3).slice(2, 3, 4).mul_(3);
  const auto row = judged("both", values);
  EXPECT_EQ(row["verdict"], "undecided");
  EXPECT_TRUE(contains(row["reason"], "; ") && contains(row["reason"], "defect")) << row["reason"];
}

TEST_F(Drift, LimitIsWhatTheUserSays) {
  train();
  const auto off = judged("off", cube(7) * 1.25, {"--set", "drift.limit=0"});
  EXPECT_NE(off["verdict"], "undecided");
  EXPECT_LT(off["drift"].get<double>(), 0.0001) << "it is measured all the same";
  const auto strict = judged("strict", cube(7), {"--set", "drift.limit=0.5"});
  EXPECT_EQ(strict["verdict"], strict["drift"].get<double>() < 0.5 ? "undecided" : "accepted");
  const auto refused = run_program(
      {"infer", "-m", model_, folder_ / "new", "-o", folder_ / "other", "--set", "drift.adapt=gain"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(contains(refused.err, "drift.adapt is gain, but " + model_ + " was trained with none"))
      << refused.err;
}

TEST_F(Drift, ThatIsAdaptedToLeavesNoTrace) {
  for (const auto* adapt : {"gain", "gain_tilt", "mean"}) {
    train({"--overwrite", "--set", std::string("drift.adapt=") + adapt});
    const auto usual = judged("usual", cube(7));
    const auto brighter = judged("brighter", cube(7) * 1.25);
    EXPECT_EQ(brighter["verdict"], usual["verdict"]) << adapt << brighter["reason"];
    EXPECT_NEAR(brighter["drift"].get<double>(), usual["drift"].get<double>(), 1e-3) << adapt;
    const auto map = [&](const char* name) { return io::read_map(folder_ / "maps" / name); };
    EXPECT_LT((map("usual_score.tif") - map("brighter_score.tif")).abs().max().item<double>(), 0.02) << adapt;
    expect_undecided("units", cube(7) * 10000, "as if in other units");
  }
}

TEST_F(Drift, IsMeasuredAnewByThreshold) {
  train();
  for (std::uint64_t i = 11; i <= 16; ++i) {
    write_cube(folder_ / "good" / (std::to_string(i) + ".img"), cube(i) * 1.25);
  }
  const auto before = model_;
  model_ = (folder_ / "new.safetensors").string();
  const auto outcome =
      run_program({"threshold", "-m", before, folder_ / "good", "-o", model_, "--threads", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "drift: a cube is undecided if it differs by about ")) << outcome.out;
  EXPECT_NE(judged("brighter", cube(7) * 1.25)["verdict"], "undecided");
  expect_undecided("as_before", cube(7), "darker");
  const auto info = nlohmann::json::parse(run_program({"info", "--json", model_}).out)[0];
  EXPECT_EQ(info["drift"]["count"], 6);
  EXPECT_GT(info["drift"]["brightness"]["deviation"].get<double>(), 0.0);
}

TEST_F(Drift, OfFewCubesComesFromTheirParts) {
  write_cube(folder_ / "train/1.img", cube(1));
  const auto outcome =
      run_program(joined({"train", folder_ / "train", "-o", model_}, joined(rx(), without_rates())));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto info = nlohmann::json::parse(run_program({"info", "--json", model_}).out)[0];
  EXPECT_EQ(info["drift"]["count"], 5);
  expect_undecided("units", cube(7) * 10000, "as if in other units");
}

TEST_F(Drift, IsUnknownWithoutTraining) {
  const auto file = write_cube(folder_ / "scene.img", cube(1));
  ASSERT_EQ(run_program(joined({"detect", file, "-o", folder_ / "maps"}, rx())).exit_code, 0);
  EXPECT_TRUE(nlohmann::json::parse(read_bytes(folder_ / "maps/scene.json"))["drift"].is_null());
}

}  // namespace
}  // namespace hyperdefect::test
