// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "support/program.h"

namespace hyperdefect::test {
namespace {

TEST(ConfigShow, PrintsTheBuiltInConfiguration) {
  const auto outcome = run_program({"config", "show"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const auto* section : {"data:\n", "preprocess:\n", "model:\n", "train:\n", "score:\n", "threshold:\n",
                              "output:\n", "run:\n"}) {
    EXPECT_TRUE(contains(outcome.out, section));
  }
  EXPECT_TRUE(contains(outcome.out, "  detector: fused\n"));
  EXPECT_TRUE(contains(run_program({"config", "show", "--built-in", "rx"}).out, "  detector: rx\n"));
}

TEST(ConfigShow, LaterFilesWinAndAssignmentsOverFiles) {
  const TempDir folder;
  write_bytes(folder / "a.yaml", "run:\n  seed: 1\n  ram_mb: 100\ntrain:\n  epochs: 3\n");
  write_bytes(folder / "b.yaml", "run:\n  seed: 2\n  ram_mb: 200\n");
  const auto outcome =
      run_program({"config", "show", folder / "a.yaml", folder / "b.yaml", "--set", "run.seed=7"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(contains(outcome.out, "  seed: 7\n"));
  EXPECT_TRUE(contains(outcome.out, "  ram_mb: 200\n"));
  EXPECT_TRUE(contains(outcome.out, "  epochs: 3\n"));
}

TEST(ConfigShow, ExplainsEachKeyAndReadsBackEqual) {
  const TempDir folder;
  const auto annotated = run_program({"config", "show", "--built-in", "single_scene", "--annotated"});
  EXPECT_TRUE(contains(annotated.out, "  # Seed of all random numbers.\n"));
  write_bytes(folder / "my.yaml", annotated.out);
  const auto file = (folder / "my.yaml").string();
  EXPECT_EQ(run_program({"config", "check", file}).out, file + ": ok\n");
  EXPECT_EQ(run_program({"config", "show", file}).out,
            run_program({"config", "show", "--built-in", "single_scene"}).out);
}

TEST(ConfigShow, RefusesWhatItDoesNotKnow) {
  expect_failure(run_program({"config", "show", "--built-in", "two_class"}), 2,
                 "no configuration named 'two_class' is built in: take one of one_class, single_scene, "
                 "single_scene_plain, single_scene_fast, rx");
  expect_failure(run_program({"config", "show", "--set", "run.sed=1"}), 2,
                 "--set run.sed=1: run.sed: unknown key; did you mean run.seed?");
  expect_failure(run_program({"config"}), 2, "A subcommand is required");
}

TEST(ConfigCheck, NamesAllFaultsOfAllFilesAtOnce) {
  const TempDir folder;
  write_bytes(folder / "a.yaml", "train:\n  epochs: many\n  epcohs: 3\n");
  write_bytes(folder / "b.yaml", "run:\n  seed: -1\n");
  write_bytes(folder / "c.yaml", "run:\n  seed: 1\n");
  const auto a = (folder / "a.yaml").string();
  const auto b = (folder / "b.yaml").string();
  const auto c = (folder / "c.yaml").string();
  const auto outcome = run_program({"config", "check", a, b, c});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, c + ": ok\n");
  EXPECT_TRUE(contains(outcome.err, a + ":2: train.epochs: "));
  EXPECT_TRUE(contains(outcome.err, a + ":3: train.epcohs: unknown key; did you mean train.epochs?"));
  EXPECT_TRUE(contains(outcome.err, b + ":2: run.seed: "));
}

TEST(ConfigCheck, NamesAFileThatCannotBeRead) {
  expect_failure(run_program({"config", "check", "none.yaml"}), 2, "none.yaml: cannot be read");
}

TEST(ConfigCheck, FollowsWhatAFileExtends) {
  const TempDir folder;
  write_bytes(folder / "mine.yaml", "extends: base.yaml\nrun:\n  seed: 1\n");
  write_bytes(folder / "base.yaml", "extends: single_scene_fast\nthreshold:\n  value: 12\n");
  const auto mine = (folder / "mine.yaml").string();
  EXPECT_EQ(run_program({"config", "check", mine}).out, mine + ": ok\n");
  const auto shown = run_program({"config", "show", mine});
  EXPECT_TRUE(contains(shown.out, "  fused: [area_filter, rx]\n"));
  EXPECT_TRUE(contains(shown.out, "  value: 12\n"));
  EXPECT_TRUE(contains(shown.out, "  seed: 1\n"));
  write_bytes(folder / "base.yaml", "extends: single_scene_fats\n");
  expect_failure(run_program({"config", "check", mine}), 2,
                 (folder / "base.yaml").string() +
                     ":1: extends: 'single_scene_fats' is unknown; did you mean single_scene_fast?");
}

TEST(ConfigCheck, FindsWhatTakesSeveralKeys) {
  const TempDir folder;
  write_bytes(folder / "a.yaml", "model:\n  fused_weights: [1, 2, 3]\n");
  write_bytes(folder / "b.yaml", "train:\n  patience: 3\n");
  const auto a = (folder / "a.yaml").string();
  const auto b = (folder / "b.yaml").string();
  expect_failure(run_program({"config", "check", a}), 2, a + ": model.fused_weights has 3 entries");
  const auto outcome = run_program({"config", "check", b});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err,
            "warning: " + b +
                ": train.patience = 3 has no effect: it is used only if train.holdout_fraction is "
                "above 0\n");
  EXPECT_EQ(run_program({"config", "check", b, "--built-in", "rx"}).err,
            "warning: " + b +
                ": train.patience = 3 has no effect: it is used only if model.detector is autoencoder or "
                "segmenter, or fused with one of them\n");
}

/// Nothing is read, so that an input that does not exist is no matter.
TEST(Commands, RefuseAContradictionBeforeAnyCubeIsRead) {
  const TempDir folder;
  for (const auto* command : {"train", "detect"}) {
    expect_failure(run_program({command, "none.img", "-o", folder / "o.safetensors", "--set",
                                "model.fused_weights=[1, 2, 3]"}),
                   2, "model.fused_weights has 3 entries, it must have one for each of the ");
  }
}

TEST(Commands, WarnOfAKeyWithoutEffect) {
  const TempDir folder;
  const auto outcome =
      run_program({"train", "none.img", "-o", folder / "o.safetensors", "--set", "threshold.value=3"});
  EXPECT_TRUE(
      contains(outcome.err,
               "warning: threshold.value = 3 has no effect: it is used only if threshold.method is manual\n"))
      << outcome.err;
}

TEST(ConfigKeys, ListsTypeRangeDefaultAndMeaning) {
  const auto outcome = run_program({"config", "keys"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(contains(
      outcome.out,
      "run.seed\n    Seed of all random numbers.\n    integer: 0 to 4000000000000000000; default 0\n"));
  EXPECT_TRUE(contains(outcome.out, "; in rx rx\n"));
}

TEST(ConfigKeys, PrintsJsonOfEveryKey) {
  const auto json = nlohmann::json::parse(run_program({"config", "keys", "--json"}).out);
  const auto shown = run_program({"config", "show"}).out;
  EXPECT_GT(json.size(), 50U);
  for (const auto& entry : json) {
    const auto key = entry["key"].get<std::string>();
    const auto value = entry["built_in"]["one_class"].get<std::string>();
    EXPECT_TRUE(contains(shown, "  " + key.substr(key.find('.') + 1) + ": " + value + "\n"));
    EXPECT_FALSE(entry["help"].get<std::string>().empty()) << key;
  }
}

}  // namespace
}  // namespace hyperdefect::test
