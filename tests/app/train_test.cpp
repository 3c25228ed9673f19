// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

class Train : public ::testing::Test {
 protected:
  void SetUp() override {
    write_cube(folder_ / "in/a.img", mixtures(8, 16, 12, 1));
    write_cube(folder_ / "in/b.img", mixtures(8, 10, 14, 2));
  }

  Outcome train(const std::string& model, const std::vector<std::string>& more = {}) const {
    return run_program(joined(
        joined({"train", folder_ / "in", "-o", folder_ / model}, joined(tiny_network(), without_rates())),
        more));
  }

  /// The lines of a training's metrics, without the heading.
  std::vector<std::string> epochs(const std::string& name) const {
    std::istringstream csv(read_bytes(folder_ / (name + ".metrics.csv")));
    std::vector<std::string> lines;
    for (std::string line; std::getline(csv, line);) {
      lines.push_back(line);
    }
    EXPECT_EQ(lines.at(0), "epoch,steps,learning_rate,loss,holdout_loss,seconds");
    lines.erase(lines.begin());
    return lines;
  }

  TempDir folder_;
};

TEST_F(Train, WritesModelMetricsAndConfiguration) {
  const auto outcome = train("models/m.safetensors");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(without_progress(outcome.err), "");
  EXPECT_TRUE(contains(outcome.out, (folder_ / "models/m.safetensors").string() +
                                        ": ensemble, trained on 2 cubes, 2 epochs, loss "));
  EXPECT_EQ(names_below(folder_ / "models"),
            (std::vector<std::string>{"m.config.yaml", "m.metrics.csv", "m.safetensors"}));
  const auto lines = epochs("models/m");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("1,2,"));
  EXPECT_TRUE(lines[1].starts_with("2,4,"));
  const auto config = read_bytes(folder_ / "models/m.config.yaml");
  EXPECT_TRUE(contains(config, "  features: [8, 8, 8]\n"));
  EXPECT_TRUE(contains(config, "  corruption: synthetic_defect\n"));
}

TEST_F(Train, SameSeedGivesTheSameBytes) {
  ASSERT_EQ(train("a.safetensors").exit_code, 0);
  ASSERT_EQ(train("b.safetensors", {"--quiet"}).exit_code, 0);
  ASSERT_EQ(train("c.safetensors", {"--seed", "1"}).exit_code, 0);
  EXPECT_EQ(read_bytes(folder_ / "a.safetensors"), read_bytes(folder_ / "b.safetensors"));
  EXPECT_EQ(timeless(folder_ / "a.metrics.csv"), timeless(folder_ / "b.metrics.csv"));
  EXPECT_NE(timeless(folder_ / "a.metrics.csv"), timeless(folder_ / "c.metrics.csv"));
}

TEST_F(Train, StopsEarlyAndKeepsTheBestEpoch) {
  const auto outcome =
      train("m.safetensors", {"--json", "--set", "train.epochs=30", "--set", "train.patience=2", "--set",
                              "train.holdout_fraction=0.3", "--set", "train.learning_rate=0.9"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  const auto lines = epochs("m");
  EXPECT_EQ(json["model"], (folder_ / "m.safetensors").string());
  EXPECT_EQ(json["training_cubes"], 2);
  EXPECT_EQ(json["epochs"], lines.size());
  EXPECT_LT(lines.size(), 30U);
  EXPECT_EQ(json["kept_epoch"], lines.size() - 2);
  EXPECT_EQ(csv_fields(lines[0]).size(), 6U);
  EXPECT_NE(csv_fields(lines[0])[4], "");
}

TEST_F(Train, TrainsRxWithoutEpochs) {
  const auto outcome = train("m.safetensors", {"--set", "model.detector=rx"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, ": rx, trained on 2 cubes\n"));
  EXPECT_TRUE(epochs("m").empty());
}

TEST_F(Train, PrintsTheFalseAlarmsThatItMeasured) {
  const auto outcome =
      train("a.safetensors", {"--set", "model.detector=rx", "--set", "threshold.method=false_alarm_rate",
                              "--set", "threshold.pixel_rate=0.01", "--set", "threshold.cube_rate=0.4"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "false alarms on 2 normal cubes that the fit did not see:\n  marked: "))
      << outcome.out;
  EXPECT_TRUE(contains(outcome.out, ", asked: 0.01\n  rejected: ")) << outcome.out;
  EXPECT_EQ(without_progress(outcome.err), "");
}

TEST_F(Train, SaysThatARateIsNotSupported) {
  const auto outcome = train("a.safetensors", {"--json", "--set", "model.detector=rx", "--set",
                                               "threshold.method=false_alarm_rate"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err,
                       "warning: threshold.cube_rate is 0.05, but with 2 cubes the least possible is "
                       "0.33, which is used; 0.05 needs 19 cubes"))
      << outcome.err;
  const auto alarms = nlohmann::json::parse(outcome.out)["false_alarms"];
  EXPECT_EQ(alarms["cubes"], 2);
  EXPECT_EQ(alarms["in_sample"], false);
  EXPECT_EQ(alarms["cube_rate"]["asked"], 0.05);
  EXPECT_NEAR(alarms["cube_rate"]["supported"].get<double>(), 1.0 / 3, 1e-9);
}

TEST_F(Train, WarnsOfAThresholdFromPixelsThatTheFitHasSeen) {
  const auto outcome = train("a.safetensors", {"--set", "model.detector=rx", "--set", "threshold.folds=0"});
  EXPECT_TRUE(contains(outcome.err,
                       "warning: threshold.folds is below 2: the threshold comes from pixels that the "
                       "fit has seen"))
      << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "that the fit has seen, so that they are more often in new cubes:"));
}

TEST_F(Train, ARateOfZeroIsRefused) {
  for (const auto* key : {"threshold.pixel_rate", "threshold.cube_rate"}) {
    expect_failure(train("a.safetensors", {"--set", std::string(key) + "=0"}), 2, key);
  }
}

TEST_F(Train, ReplacesNothingUnasked) {
  for (const auto* name : {"m.safetensors", "m.metrics.csv"}) {
    const auto file = folder_ / name;
    write_bytes(file, "mine");
    expect_failure(train("m.safetensors"), 2, file.string() + " exists (");
    EXPECT_EQ(read_bytes(file), "mine");
    fs::remove(file);
  }
  write_bytes(folder_ / "m.safetensors", "mine");
  EXPECT_EQ(train("m.safetensors", {"--overwrite"}).exit_code, 0);
  EXPECT_NE(read_bytes(folder_ / "m.safetensors"), "mine");
}

TEST_F(Train, RefusesOutputsThatCannotBeWritten) {
  expect_failure(train("m.bin"), 2,
                 "the model's name must end in .safetensors, but it is " + (folder_ / "m.bin").string());
  write_bytes(folder_ / "file", "");
  expect_failure(train("file/m.safetensors"), 2,
                 "cannot make the output folder " + (folder_ / "file").string());
  expect_failure(train("m.safetensors", {"--overwrite", "--resume"}), 2,
                 "--overwrite and --resume contradict each other: give one");
}

TEST_F(Train, DryRunSaysWhatItWouldDoAndWritesNothing) {
  const auto outcome = train("models/m.safetensors", {"--dry-run"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, (folder_ / "in/a.img").string() + "\n" + (folder_ / "in/b.img").string() + "\n-> " +
                             (folder_ / "models/m.safetensors").string() + "\n");
  EXPECT_FALSE(fs::exists(folder_ / "models"));
}

TEST_F(Train, NamesTheCubeWhoseBandsDiffer) {
  io::write_envi(folder_ / "in/c.img", mixtures(5, 10, 10, 3), {5, {}, {}, {}});
  expect_failure(train("m.safetensors"), 3,
                 (folder_ / "in/c.img").string() + ": does not match the first cube, " +
                     (folder_ / "in/a.img").string() + ": the cube has 5 bands and the model 8");
  EXPECT_FALSE(fs::exists(folder_ / "m.safetensors"));
}

TEST(TrainOnNothing, SaysThatThereIsNothingToLearn) {
  const TempDir folder;
  const auto train_on = [&](const torch::Tensor& values) {
    const auto cube = write_cube(folder / "cube.img", values);
    return run_program(joined({"train", cube, "-o", folder / "m.safetensors"}, tiny_network()));
  };
  const auto nothing = train_on(torch::full({4, 6, 6}, NAN));
  EXPECT_EQ(nothing.exit_code, 3);
  EXPECT_TRUE(contains(nothing.err, "cube.img: no pixel is valid, so there is nothing to learn from"));
  const auto alike = train_on(torch::ones({4, 6, 6}));
  EXPECT_EQ(alike.exit_code, 3);
  EXPECT_TRUE(contains(alike.err, "all valid pixels have the same spectrum: there is nothing to learn from"));
}

}  // namespace
}  // namespace hyperdefect::test
