// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "support/program.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

using Words = std::vector<std::string>;

/// A command and what may stand behind it in any order.
struct Line {
  Words command;
  std::vector<Words> groups;
};

std::string shown(const Words& words) {
  std::string line;
  for (const auto& word : words) {
    line += word + ' ';
  }
  return line;
}

class Options : public ::testing::Test {
 protected:
  Options() {
    write_small_cube(folder_ / "in/scan.img");
    write_bytes(folder_ / "my.yaml", "run:\n  seed: 3\n");
  }

  std::string path(const std::string& name) const { return folder_ / name; }

  /// Every order of the groups must be understood as the first one is.
  static void expect_any_order(const Line& line) {
    std::vector<std::size_t> order(line.groups.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::string first;
    do {
      auto words = line.command;
      for (const auto i : order) {
        words = joined(words, line.groups[i]);
      }
      const auto outcome = run_program(words);
      first = first.empty() ? outcome.out : first;
      ASSERT_EQ(outcome.exit_code, 0) << shown(words) << outcome.err;
      ASSERT_EQ(outcome.out, first) << shown(words);
      ASSERT_NE(outcome.out, "");
    } while (std::next_permutation(order.begin(), order.end()));
  }

  TempDir folder_;
};

TEST_F(Options, OfDetectStandInAnyOrder) {
  expect_any_order(
      {{"detect", "--dry-run"},
       {{path("in")}, {"-o", path("o")}, {"-c", path("my.yaml")}, {"--set", "model.detector=rx"}}});
}

TEST_F(Options, OfTrainStandInAnyOrder) {
  expect_any_order({{"train", "--dry-run"},
                    {{path("in")},
                     {"-o", path("m.safetensors")},
                     {"--config=" + path("my.yaml")},
                     {"--set", "model.detector=rx", "--set", "train.epochs=1"}}});
}

TEST_F(Options, OfInferStandInAnyOrder) {
  ASSERT_EQ(run_program(joined({"train", path("in"), "-o", path("m.safetensors")}, rx())).exit_code, 0);
  expect_any_order({{"infer", "--dry-run"},
                    {{path("in")},
                     {"-o", path("o")},
                     {"-m", path("m.safetensors")},
                     {"--set", "threshold.min_pixels=2", "-c", path("my.yaml")}}});
}

TEST_F(Options, OfConfigStandInAnyOrder) {
  expect_any_order(
      {{"config", "show"}, {{path("my.yaml")}, {"--set", "train.epochs=3"}, {"--built-in", "rx"}}});
  expect_any_order({{"config", "check"}, {{path("my.yaml")}, {"--log-level", "info"}, {"-q"}}});
}

TEST_F(Options, OfInfoAndEvalStandInAnyOrder) {
  expect_any_order({{"info"}, {{path("in/scan.img")}, {"--json"}, {"--log-level", "error"}}});
  ASSERT_EQ(run_program(joined({"detect", path("in"), "-o", path("maps")}, rx())).exit_code, 0);
  std::filesystem::create_directories(path("truth"));
  std::filesystem::copy(path("maps/scan_defects.tif"), path("truth/scan_mask.tif"));
  expect_any_order({{"eval"}, {{path("maps")}, {"--truth", path("truth")}, {"--score", "score"}}});
}

TEST_F(Options, OfSynthStandInAnyOrder) {
  expect_any_order({{"synth", "--overwrite"},
                    {{"-o", path("s")},
                     {"--into", path("in/scan.img")},
                     {"--area", "2", "4", "--abundance", "0.5", "1"},
                     {"--kinds", "fringe,absorption"}}});
}

/// As `detect`, in the folder of the inputs.
class OddInputs : public Options {
 protected:
  Outcome detect(const Words& words) const {
    return run_program(joined({"detect", "--dry-run"}, words),
                       by_shell("cd " + shell_quoted(path("in")) + " && exec \"$@\""));
  }
};

TEST_F(OddInputs, BehindTwoDashesAreInputsWhateverTheyBeginWith) {
  write_small_cube(folder_ / "in/-x.img");
  for (const Words& words : {Words{"-o", "o", "--", "-x.img"}, Words{"-o", "o", "scan.img", "--", "-x.img"},
                             Words{"--set", "run.seed=1", "-o", "o", "--", "-x.img", "scan.img"}}) {
    const auto outcome = detect(words);
    EXPECT_EQ(outcome.exit_code, 0) << shown(words) << outcome.err;
    EXPECT_TRUE(contains(outcome.out, "-x.img -> o/-x_score.tif")) << shown(words);
  }
  expect_failure(detect({"-o", "o", "-x.img"}), 2, "INPUT is required");
}

TEST_F(OddInputs, MayBeNamedLikeAListOrACommand) {
  for (const std::string name : {"[2024]", "train", "++"}) {
    write_small_cube(folder_ / "in" / name / "scan.img");
    const auto outcome = detect({"-o", "o", name});
    EXPECT_EQ(outcome.exit_code, 0) << name << ": " << outcome.err;
    EXPECT_TRUE(contains(outcome.out, name + "/scan.img -> o/scan_score.tif")) << name;
  }
}

TEST_F(OddInputs, AreNotTakenForAMissingValue) {
  expect_failure(detect({"--output=", "scan.img"}), 2, "--output= has no value: write --output=VALUE");
  expect_failure(detect({"scan.img", "--set"}), 2, "--set: 1 required KEY=VALUE missing");
}

}  // namespace
}  // namespace hyperdefect::test
