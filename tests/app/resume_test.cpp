// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include "support/background_program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

using Arguments = std::vector<std::string>;
using Moment = std::function<bool()>;

bool holds_temporary(const fs::path& folder) {
  std::error_code vanished;
  for (fs::directory_iterator entry(folder, vanished); !vanished && entry != fs::directory_iterator();
       entry.increment(vanished)) {
    if (entry->path().filename().string().starts_with(".hyperdefect-")) {
      return true;
    }
  }
  return false;
}

Moment appears(const fs::path& file) {
  return [file] { return fs::exists(file); };
}

/// A moment that comes this long after the first question.
Moment after_ms(int milliseconds) {
  return [milliseconds, start = std::chrono::steady_clock::now()] {
    return std::chrono::steady_clock::now() - start > std::chrono::milliseconds(milliseconds);
  };
}

/// Kills the run at the moment, and repeats it with --resume.
Outcome killed_and_resumed(const Arguments& arguments, const Moment& moment) {
  {
    BackgroundProgram program(arguments);
    program.reaches(moment);
    program.send(SIGKILL);
    program.wait();
  }
  return run_program(joined(arguments, {"--resume"}));
}

Outcome interrupted(const Arguments& arguments, const Moment& moment) {
  BackgroundProgram program(arguments);
  EXPECT_TRUE(program.reaches(moment));
  program.send(SIGINT);
  return program.wait();
}

class ResumeTrain : public ::testing::Test {
 protected:
  void SetUp() override {
    write_cube(folder_ / "in/a.img", mixtures(8, 16, 12, 1));
    write_cube(folder_ / "in/b.img", mixtures(8, 10, 14, 2));
    ASSERT_EQ(run_program(arguments("undisturbed")).exit_code, 0);
    expected_ = files_below(folder_ / "undisturbed");
  }

  Arguments arguments(const std::string& output) const {
    return joined(joined({"train", folder_ / "in", "-o", folder_ / output / "m.safetensors"}, tiny_network()),
                  {"--set", "train.epochs=6", "--set", "train.steps_per_epoch=10", "--set",
                   "train.holdout_fraction=0.2"});
  }

  fs::path checkpoint(const std::string& output) const {
    return folder_ / output / "m.checkpoint.safetensors";
  }

  TempDir folder_;
  std::map<std::string, std::string> expected_;
};

TEST_F(ResumeTrain, KilledAtAnyMomentGivesTheSameFiles) {
  const std::map<std::string, Moment> moments{
      {"before_anything", after_ms(50)},
      {"at_first_checkpoint", appears(checkpoint("at_first_checkpoint"))},
      {"while_writing", [this] { return holds_temporary(folder_ / "while_writing"); }},
      {"at_metrics", appears(folder_ / "at_metrics/m.metrics.csv")},
      {"at_model", appears(folder_ / "at_model/m.safetensors")}};
  for (const auto& [output, moment] : moments) {
    const auto resumed = killed_and_resumed(arguments(output), moment);
    EXPECT_EQ(resumed.exit_code, 0) << output << ": " << resumed.err;
    EXPECT_EQ(differences(expected_, files_below(folder_ / output)), Arguments()) << output;
  }
}

TEST_F(ResumeTrain, InterruptedSaysHowToGoOn) {
  const auto outcome = interrupted(arguments("stopped"), appears(checkpoint("stopped")));
  expect_failure(outcome, 130,
                 "repeat the command with --resume to continue from the last finished epoch (" +
                     checkpoint("stopped").string() + ")");
  EXPECT_FALSE(fs::exists(folder_ / "stopped/m.safetensors"));
  expect_failure(run_program(arguments("stopped")), 2,
                 checkpoint("stopped").string() + " exists (an unfinished training): nothing was done");
  expect_failure(run_program(joined(arguments("stopped"), {"--resume", "--set", "train.epochs=7"})), 2,
                 checkpoint("stopped").string() + ": the checkpoint belongs to another training");
  EXPECT_EQ(run_program(joined(arguments("stopped"), {"--resume"})).exit_code, 0);
  EXPECT_EQ(differences(expected_, files_below(folder_ / "stopped")), Arguments());
}

TEST_F(ResumeTrain, FinishedStaysAsItIs) {
  write_bytes(checkpoint("undisturbed"), "left by a run that was killed after its last step");
  const auto outcome = run_program(joined(arguments("undisturbed"), {"--resume"}));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(contains(outcome.err, "m.safetensors was already finished"));
  EXPECT_EQ(differences(expected_, files_below(folder_ / "undisturbed")), Arguments());
}

TEST_F(ResumeTrain, RefusesACheckpointThatIsNone) {
  write_bytes(checkpoint("other"), "not a checkpoint");
  expect_failure(run_program(joined(arguments("other"), {"--resume"})), 4,
                 checkpoint("other").string() + ": not a whole safetensors file");
}

class ResumeBatch : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int number = 1; number <= 3; ++number) {
      write_cube(folder_ / ("in/cube_" + std::to_string(number) + ".img"),
                 mixtures_with_defect(8, 24, 20, static_cast<std::uint64_t>(number)));
    }
  }

  Arguments detect(const std::string& output) const {
    return joined(joined({"detect", folder_ / "in", "-o", folder_ / output}, tiny_network()),
                  {"--set", "train.steps_per_epoch=15"});
  }

  Arguments infer(const std::string& output) const {
    return {"infer", folder_ / "in",   "-m",        folder_ / "m.safetensors",
            "-o",    folder_ / output, "--threads", "1"};
  }

  void expect_same_after_kills(const std::function<Arguments(const std::string&)>& command) {
    ASSERT_EQ(run_program(command("undisturbed")).exit_code, 0);
    const auto expected = files_below(folder_ / "undisturbed");
    const std::map<std::string, Moment> moments{
        {"at_first_map", appears(folder_ / "at_first_map/cube_1_score.tif")},
        {"at_first_row", appears(folder_ / "at_first_row/cube_1.json")},
        {"while_writing", [this] { return holds_temporary(folder_ / "while_writing"); }},
        {"at_last_row", appears(folder_ / "at_last_row/cube_3.json")}};
    for (const auto& [output, moment] : moments) {
      const auto resumed = killed_and_resumed(command(output), moment);
      EXPECT_EQ(resumed.exit_code, 0) << output << ": " << resumed.err;
      EXPECT_EQ(differences(expected, files_below(folder_ / output)), Arguments()) << output;
    }
  }

  TempDir folder_;
};

TEST_F(ResumeBatch, DetectKilledAtAnyMomentGivesTheSameFiles) {
  expect_same_after_kills([this](const auto& output) { return detect(output); });
}

TEST_F(ResumeBatch, InferKilledAtAnyMomentGivesTheSameFiles) {
  ASSERT_EQ(run_program(joined({"train", folder_ / "in", "-o", folder_ / "m.safetensors"}, tiny_network()))
                .exit_code,
            0);
  expect_same_after_kills([this](const auto& output) { return infer(output); });
}

TEST_F(ResumeBatch, InterruptedSaysHowToGoOnAndKeepsWhatWasFinished) {
  ASSERT_EQ(run_program(detect("undisturbed")).exit_code, 0);
  const auto maps = folder_ / "maps";
  expect_failure(
      interrupted(detect("maps"), appears(maps / "cube_1.json")), 130,
      "; finished cubes are in " + maps.string() + ": repeat the command with --resume to continue");
  EXPECT_FALSE(fs::exists(maps / "summary.json"));
  const auto written = fs::last_write_time(maps / "cube_1_score.tif");
  const auto resumed = run_program(joined(detect("maps"), {"--resume"}));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(contains(resumed.err, " of 3 cubes were already finished"));
  EXPECT_EQ(fs::last_write_time(maps / "cube_1_score.tif"), written);
  EXPECT_EQ(differences(files_below(folder_ / "undisturbed"), files_below(maps)), Arguments());
}

TEST_F(ResumeBatch, RefusesResultsOfAnotherRun) {
  const Arguments command = joined({"detect", folder_ / "in", "-o", folder_ / "maps"}, rx());
  ASSERT_EQ(run_program(command).exit_code, 0);
  const auto before = files_below(folder_ / "maps");
  expect_failure(
      run_program(joined(command, {"--resume", "--set", "threshold.sigma=5"})), 2,
      (folder_ / "maps/cube_1.json").string() +
          " was made by another run (another version, configuration, model, seed or number of threads)");
  EXPECT_EQ(differences(before, files_below(folder_ / "maps")), Arguments());
}

TEST_F(ResumeBatch, ClearsAwayWhatAKilledRunLeft) {
  const auto maps = folder_ / "maps";
  for (const auto* folder : {".hyperdefect-a1B2c3", ".hyperdefect-Zz9yX8"}) {
    write_bytes(maps / folder / "cube_1_score.tif", "half");
  }
  write_bytes(maps / ".hyperdefect.lock", R"({"process": 1, "command": "of a dead run"})");
  ASSERT_EQ(run_program(joined({"detect", folder_ / "in", "-o", maps, "--resume"}, rx())).exit_code, 0);
  EXPECT_FALSE(holds_temporary(maps));
  EXPECT_FALSE(fs::exists(maps / ".hyperdefect.lock"));
}

}  // namespace
}  // namespace hyperdefect::test
