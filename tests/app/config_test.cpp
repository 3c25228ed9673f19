// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/program.h"

namespace hyperdefect::test {
namespace {

/// The values of a configuration by "section.key".
using Values = std::map<std::string, std::string>;

/// Those of YAML without comments, as `config show` prints it.
Values values_of(const std::string& yaml) {
  Values values;
  std::string section;
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (!line.starts_with("  ")) {
      section = line.substr(0, colon);
    } else {
      values[section + '.' + line.substr(2, colon - 2)] = line.substr(colon + 2);
    }
  }
  return values;
}

Values shown(const std::vector<std::string>& options) {
  std::vector<std::string> words{"config", "show"};
  words.insert(words.end(), options.begin(), options.end());
  const auto outcome = run_program(words);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return values_of(outcome.out);
}

TEST(ConfigShow, PrintsTheBuiltInConfiguration) {
  const auto outcome = run_program({"config", "show"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const auto* section :
       {"data", "preprocess", "model", "autoencoder", "segmenter", "likelihood_ratio", "rx", "area_filter",
        "local_rx", "crd", "ensemble", "train", "score", "threshold", "output", "run"}) {
    EXPECT_TRUE(contains('\n' + outcome.out, '\n' + std::string(section) + ":\n"));
  }
  EXPECT_EQ(values_of(outcome.out).at("model.detector"), "ensemble");
  EXPECT_EQ(shown({"--built-in", "rx"}).at("model.detector"), "rx");
}

TEST(ConfigShow, LaterFilesWinAndAssignmentsOverFiles) {
  const TempDir folder;
  write_bytes(folder / "a.yaml", "run:\n  seed: 1\n  ram_mb: 100\ntrain:\n  epochs: 3\n");
  write_bytes(folder / "b.yaml", "run:\n  seed: 2\n  ram_mb: 200\n");
  const auto values = shown({folder / "a.yaml", folder / "b.yaml", "--set", "run.seed=7"});
  EXPECT_EQ(values.at("run.seed"), "7");
  EXPECT_EQ(values.at("run.ram_mb"), "200");
  EXPECT_EQ(values.at("train.epochs"), "3");
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
                 "no configuration named 'two_class' is built in: choose one of one_class, single_scene, "
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
  const auto values = shown({mine});
  EXPECT_EQ(values.at("ensemble.members"), "[area_filter, rx]");
  EXPECT_EQ(values.at("threshold.value"), "12");
  EXPECT_EQ(values.at("run.seed"), "1");
  write_bytes(folder / "base.yaml", "extends: single_scene_fats\n");
  expect_failure(run_program({"config", "check", mine}), 2,
                 (folder / "base.yaml").string() +
                     ":1: extends: 'single_scene_fats' is unknown; did you mean single_scene_fast?");
}

TEST(ConfigCheck, FindsWhatTakesSeveralKeys) {
  const TempDir folder;
  write_bytes(folder / "a.yaml", "ensemble:\n  weights: [1, 2, 3]\n");
  write_bytes(folder / "b.yaml", "train:\n  patience: 3\n");
  const auto a = (folder / "a.yaml").string();
  const auto b = (folder / "b.yaml").string();
  expect_failure(run_program({"config", "check", a}), 2, a + ": ensemble.weights has 3 entries");
  const auto outcome = run_program({"config", "check", b});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err,
            "warning: " + b +
                ": train.patience = 3 has no effect: it is used only if train.holdout_fraction is "
                "above 0\n");
  EXPECT_EQ(run_program({"config", "check", b, "--built-in", "rx"}).err,
            "warning: " + b +
                ": train.patience = 3 has no effect: it is used only if model.detector is autoencoder or "
                "segmenter, or ensemble with one of them\n");
}

/// Nothing is read, so that an input that does not exist is no matter.
TEST(Commands, RefuseAContradictionBeforeAnyCubeIsRead) {
  const TempDir folder;
  for (const auto* command : {"train", "detect"}) {
    expect_failure(run_program({command, "none.img", "-o", folder / "o.safetensors", "--set",
                                "ensemble.weights=[1, 2, 3]"}),
                   2, "ensemble.weights has 3 entries; it must have one for each of the ");
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

/// Configurations and commands with the names of before still do what they did, and say what to write.
TEST(FormerKeys, AreReadWithOneLineEach) {
  const std::string renamed =
      "warning: model.heads is now called autoencoder.heads; the former name is still read\n";
  const auto outcome = run_program({"config", "show", "--set", "model.heads=2"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, renamed);
  EXPECT_EQ(values_of(outcome.out).at("autoencoder.heads"), "2");
  EXPECT_EQ(run_program({"config", "show", "--set", "model.heads=4", "--set", "model.heads=2"}).err, renamed);
  const TempDir folder;
  write_bytes(folder / "my.yaml", "model:\n  heads: 2\nthreshold:\n  method: far\n  far: 0.01\n");
  const auto file = (folder / "my.yaml").string();
  const auto checked = run_program({"config", "check", file});
  EXPECT_EQ(checked.out, file + ": ok\n");
  EXPECT_TRUE(contains(checked.err, "warning: " + file + ": model.heads is now called autoencoder.heads; "));
  EXPECT_TRUE(
      contains(checked.err, "warning: " + file + ": threshold.far is now called threshold.pixel_rate; "));
  EXPECT_EQ(std::count(checked.err.begin(), checked.err.end(), '\n'), 2) << checked.err;
  EXPECT_EQ(shown({file}).at("threshold.method"), "false_alarm_rate");
}

TEST(ConfigKeys, ListsTypeRangeDefaultAndMeaning) {
  const auto outcome = run_program({"config", "keys"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(contains(
      outcome.out,
      "run.seed\n    Seed of all random numbers.\n    integer: 0 to 4000000000000000000; default 0\n"));
  EXPECT_TRUE(contains(outcome.out, "; in rx rx\n"));
}

/// The keys in what `config keys` prints, each by its heading; "" if there is none above it.
std::map<std::string, std::string> headings_of_keys(const std::string& page) {
  std::map<std::string, std::string> headings;
  std::string heading;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) {
      heading = line.substr(2);
    } else if (!line.empty() && !line.starts_with(' ') && line.find(' ') == std::string::npos) {
      headings[line] = heading;
    }
  }
  return headings;
}

TEST(ConfigKeys, ShowsTheBasicKeysAndHowToSeeAll) {
  const auto json = nlohmann::json::parse(run_program({"config", "keys", "--json"}).out);
  const auto basic = run_program({"config", "keys"});
  std::map<std::string, std::string> wanted;
  for (const auto& entry : json) {
    if (entry["level"] == "basic") {
      wanted[entry["key"]] = "";
    }
  }
  EXPECT_EQ(headings_of_keys(basic.out), wanted);
  EXPECT_GT(wanted.size(), 10U);
  EXPECT_LT(wanted.size(), json.size() / 2);
  EXPECT_TRUE(basic.out.ends_with("\nThese are the basic keys. `hyperdefect config keys --all` lists all " +
                                  std::to_string(json.size()) + ".\n"))
      << basic.out;
}

TEST(ConfigKeys, ShowsAllByLevelIfAsked) {
  const auto json = nlohmann::json::parse(run_program({"config", "keys", "--json"}).out);
  const auto all = run_program({"config", "keys", "--all"}).out;
  std::map<std::string, std::string> wanted;
  for (const auto& entry : json) {
    wanted[entry["key"]] = entry["level"];
  }
  EXPECT_EQ(headings_of_keys(all), wanted);
  EXPECT_EQ(wanted.at("run.seed"), "basic");
  EXPECT_EQ(wanted.at("model.precision"), "advanced");
  EXPECT_EQ(wanted.at("train.warmup_steps"), "expert");
  EXPECT_TRUE(all.starts_with("# basic\n"));
  EXPECT_LT(all.find("\n# advanced\n"), all.find("\n# expert\n"));
  EXPECT_FALSE(contains(all, "--all"));
}

TEST(ConfigKeys, PrintsJsonOfEveryKey) {
  const auto json = nlohmann::json::parse(run_program({"config", "keys", "--json"}).out);
  for (const auto* name : {"one_class", "single_scene", "rx"}) {
    const auto values = shown({"--built-in", name});
    EXPECT_EQ(json.size(), values.size());
    for (const auto& entry : json) {
      const auto key = entry["key"].get<std::string>();
      EXPECT_EQ(values.at(key), entry["built_in"][name].get<std::string>()) << key;
      EXPECT_FALSE(entry["help"].get<std::string>().empty()) << key;
    }
  }
}

}  // namespace
}  // namespace hyperdefect::test
