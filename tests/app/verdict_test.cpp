// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/background_program.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_disk.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

using Arguments = std::vector<std::string>;

nlohmann::json json_of(const fs::path& file) {
  return nlohmann::json::parse(read_bytes(file));
}

/// A model that was trained on one cube without a defect, and runs that apply it.
class VerdictOfInfer : public ::testing::Test {
 protected:
  void SetUp() override {
    good_ = mixtures(8, 40, 30, 1);
    write_cube(folder_ / "normal.img", good_);
    const auto trained = run_program(joined({"train", folder_ / "normal.img", "-o", model_}, rx()));
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }

  /// With a threshold that no pixel of a good cube reaches.
  Arguments infer(const fs::path& input, const std::string& output) const {
    return {"infer",     "-m",
            model_,      input,
            "-o",        folder_ / output,
            "--threads", "1",
            "--set",     "threshold.method=manual",
            "--set",     "threshold.value=12"};
  }

  TempDir folder_;
  torch::Tensor good_;
  std::string model_ = (folder_ / "m.safetensors").string();
};

TEST_F(VerdictOfInfer, IsUndecidedWhereAnIslandIsMissing) {
  auto values = good_.clone();
  values.slice(1, 10, 12).slice(2, 5, 7).zero_();
  const auto cube = write_cube(folder_ / "hole.img", values);
  const auto outcome = run_program(joined(infer(cube, "maps"), {"--fail-on-defect"}));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  const std::string reason =
      "1 island of missing pixels inside the image, the largest with 4 pixels at row 10, column 5 (all "
      "zero): a defect may look like that";
  EXPECT_TRUE(contains(outcome.out, cube + "  undecided "));
  EXPECT_TRUE(contains(outcome.out, cube + ": undecided: " + reason + "\n"));
  const auto row = json_of(folder_ / "maps/hole.json");
  EXPECT_EQ(row["status"], "ok");
  EXPECT_EQ(row["verdict"], "undecided");
  EXPECT_EQ(row["reason"], reason);
  EXPECT_NEAR(row["valid_share"].get<double>(), 1 - 4.0 / 1200, 1e-12);
  EXPECT_EQ(json_of(folder_ / "maps/summary.json")["totals"]["undecided"], 1);
  EXPECT_EQ(run_program(joined(infer(cube, "maps"), {"--resume"})).exit_code, 5)
      << "a resumed verdict is the same";
}

TEST_F(VerdictOfInfer, IsUndecidedWhereTooLittleIsValid) {
  auto values = good_.clone();
  values.slice(1, 0, 4).zero_();
  const auto cube = write_cube(folder_ / "part.img", values);
  const auto outcome = run_program(infer(cube, "maps"));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  EXPECT_TRUE(
      contains(outcome.out, "only 90 % of the pixels are valid, but 95 % are needed (data.min_valid_share)"));
  EXPECT_EQ(run_program(joined(infer(cube, "low"), {"--set", "data.min_valid_share=0.9"})).exit_code, 0);
}

TEST_F(VerdictOfInfer, MeasuresAgainstWhatTrainingHad) {
  auto values = good_.clone();
  values.slice(1, 0, 4).zero_();
  const auto cube = write_cube(folder_ / "part.img", values);
  const auto trained =
      run_program(joined({"train", cube, folder_ / "normal.img", "-o", model_, "--overwrite"}, rx()));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto outcome = run_program(infer(cube, "maps"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

TEST_F(VerdictOfInfer, OfACubeThatShrinksWhileItIsReadIsUndecided) {
  const auto cube = write_cube(folder_ / "long.img", good_.repeat({1, 150, 40}));
  BackgroundProgram program(joined(infer(cube, "maps"), {"--ram", "64", "--fail-on-defect"}));
  ASSERT_TRUE(program.reaches([&] { return fs::exists(folder_ / "maps/.hyperdefect.lock"); }));
  fs::resize_file(cube, 1'000'000);
  const auto outcome = program.wait();
  if (outcome.exit_code == 3) {
    EXPECT_TRUE(contains(outcome.err, "is truncated")) << "it was cut before it was opened";
    return;
  }
  EXPECT_EQ(outcome.exit_code, 5) << outcome.out << outcome.err;
  EXPECT_TRUE(contains(outcome.out, ": undecided: it changed while it was read ("));
  EXPECT_EQ(json_of(folder_ / "maps/long.json")["verdict"], "undecided");
  EXPECT_FALSE(fs::exists(folder_ / "maps/long_score.tif"));
}

/// A camera that stands still shows the same good spectrum all over.
TEST_F(VerdictOfInfer, OfAConstantCubeIsUndecided) {
  const auto constant = good_.mean({1, 2}, true).expand({8, 40, 30}).contiguous();
  write_cube(folder_ / "scan.img", constant);
  const auto outcome = run_program(infer(folder_ / "scan.img", "o"));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  const auto row = json_of(folder_ / "o/scan.json");
  EXPECT_EQ(row["verdict"], "undecided");
  EXPECT_TRUE(contains(row["reason"], "nearly all pixels hold the same spectrum")) << row["reason"];
}

/// What stands in the other of two bands of one wavelength is judged as well.
TEST(BandsOfOneWavelength, AreBothRead) {
  const TempDir folder;
  const auto write = [&](const std::string& name, const torch::Tensor& values) {
    write_cube(folder / name, values);
    auto header = read_bytes(folder / (name.substr(0, name.find('.')) + ".hdr"));
    const auto at = header.find("wavelength = {");
    header.replace(at, header.find('}', at) - at + 1,
                   "wavelength = {500, 500, 600, 600, 700, 700, 800, 800}");
    write_bytes(folder / (name.substr(0, name.find('.')) + ".hdr"), header);
  };
  const auto good = mixtures(8, 40, 30, 1);
  write("normal.img", good);
  const std::string model = folder / "m.safetensors";
  ASSERT_EQ(run_program(joined({"train", folder / "normal.img", "-o", model}, rx())).exit_code, 0);
  for (const std::int64_t band : {2, 3}) {
    auto bad = good.clone();
    bad[band].slice(0, 10, 13).slice(1, 10, 13) += 5;
    write("bad.img", bad);
    const auto outcome = run_program(
        {"infer", "-m", model, folder / "bad.img", "-o", folder / "o", "--overwrite", "--threads", "1"});
    EXPECT_EQ(json_of(folder / "o/bad.json")["verdict"], "rejected") << band << outcome.err;
  }
}

TEST_F(VerdictOfInfer, IsNeverThatOfAnotherCube) {
  const auto monday = write_cube(folder_ / "mon/part.img", good_);
  const auto tuesday = write_cube(folder_ / "tue/part.img", mixtures_with_defect(8, 40, 30, 2));
  ASSERT_EQ(run_program(infer(monday, "maps")).exit_code, 0);
  const auto outcome = run_program(
      joined(infer(tuesday, "maps"), {"--resume", "--fail-on-defect", "--set", "threshold.value=12"}));
  EXPECT_EQ(outcome.exit_code, 10) << outcome.out << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "warning: " + (folder_ / "maps/part.json").string() +
                                        " is the result of " + fs::canonical(monday).string() +
                                        " and is replaced by that of " + fs::canonical(tuesday).string()));
}

TEST_F(VerdictOfInfer, AFailedCubeStopsNeitherBatchNorTables) {
  write_cube(folder_ / "in/good.img", good_);
  write_cube(folder_ / ("in/" + std::string(245, 'n') + ".img"), good_);
  write_cube(folder_ / "in/short.img", good_);
  fs::resize_file(folder_ / "in/short.img", 100);
  write_cube(folder_ / "in/unlit.img", torch::zeros({8, 40, 30}));
  const auto outcome = run_program(infer(folder_ / "in", "maps"));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  const auto totals = json_of(folder_ / "maps/summary.json")["totals"];
  EXPECT_EQ(totals["cubes"], 4);
  EXPECT_EQ(totals["failed"], 3);
  EXPECT_EQ(totals["accepted"], 1);
  EXPECT_TRUE(contains(outcome.err, "File name too long"));
}

TEST_F(VerdictOfInfer, AFullDiskIsExit1AndNamesIt) {
  const SmallDisk disk(64);
  if (!disk.mounted()) {
    GTEST_SKIP() << "needs the right to mount a small disk";
  }
  write_cube(folder_ / "in/a.img", mixtures(8, 200, 200, 1));
  write_cube(folder_ / "in/b.img", mixtures(8, 200, 200, 2));
  auto arguments = infer(folder_ / "in", "unused");
  arguments[5] = (disk / "maps").string();
  expect_failure(run_program(arguments), 1, "No space left on device");
}

TEST_F(VerdictOfInfer, TwoRunsAtOnceNeverMix) {
  for (int number = 0; number < 6; ++number) {
    write_cube(folder_ / ("in/cube_" + std::to_string(number) + ".img"), good_);
  }
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto output = "maps_" + std::to_string(repeat);
    BackgroundProgram one(infer(folder_ / "in", output));
    BackgroundProgram two(joined(infer(folder_ / "in", output), {"--set", "threshold.value=13"}));
    const std::array outcomes{one.wait(), two.wait()};
    const bool first_won = outcomes[0].exit_code == 0;
    EXPECT_EQ(outcomes[first_won ? 0 : 1].exit_code, 0) << outcomes[0].err << outcomes[1].err;
    const auto& refused = outcomes[first_won ? 1 : 0];
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_TRUE(contains(refused.err, "is in use by another run (process ") ||
                contains(refused.err, " exists: nothing was done"))
        << refused.err;
    const double threshold = first_won ? 12 : 13;
    for (const auto& row : json_of(folder_ / output / "summary.json")["cubes"]) {
      EXPECT_EQ(row["threshold"], threshold);
    }
    EXPECT_FALSE(fs::exists(folder_ / output / ".hyperdefect.lock"));
  }
}

TEST(VerdictOfDetect, ExcusesTheEdgeOfAFlightLine) {
  const TempDir folder;
  auto values = mixtures(8, 40, 30, 1);
  for (int row = 0; row < 20; ++row) {
    values.select(1, row).slice(1, 0, 20 - row).zero_();
  }
  const auto cube = write_cube(folder / "line.img", values);
  const auto command =
      joined({"detect", cube, "-o", folder / "maps"},
             joined(rx(), {"--set", "threshold.method=manual", "--set", "threshold.value=100"}));
  const auto outcome = run_program(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_EQ(json_of(folder / "maps/line.json")["verdict"], "accepted");
  EXPECT_LT(json_of(folder / "maps/line.json")["valid_share"], 0.9);
}

TEST(TwoTrainings, OfOneModelNeverMix) {
  const TempDir folder;
  write_cube(folder / "a.img", mixtures(8, 16, 12, 1));
  const auto train = [&](const char* epochs) {
    return joined(joined({"train", folder / "a.img", "-o", folder / "m.safetensors"}, tiny_network()),
                  {"--set", std::string("train.epochs=") + epochs});
  };
  BackgroundProgram first(train("2000"));
  ASSERT_TRUE(first.reaches([&] { return fs::exists(folder / "m.checkpoint.safetensors"); }));
  for (const auto* option : {"--resume", "--overwrite"}) {
    expect_failure(run_program(joined(train("2"), {option})), 2,
                   (folder / "m.safetensors").string() + " is in use by another run (process ");
  }
  first.send(SIGKILL);
  first.wait();
  EXPECT_EQ(run_program(joined(train("2"), {"--overwrite"})).exit_code, 0);
  EXPECT_EQ(names_below(folder.path()),
            (Arguments{"a.hdr", "a.img", "m.config.yaml", "m.metrics.csv", "m.safetensors"}));
}

TEST(ResumedTraining, RefusesCubesThatChanged) {
  const TempDir folder;
  const auto cube = write_cube(folder / "a.img", mixtures(8, 16, 12, 1));
  const auto train = joined({"train", cube, "-o", folder / "m.safetensors", "--resume"}, tiny_network());
  ASSERT_EQ(run_program(train).exit_code, 0);
  EXPECT_EQ(run_program(train).exit_code, 0);
  write_cube(folder / "a.img", mixtures(8, 16, 12, 2));
  expect_failure(
      run_program(train), 2,
      (folder / "m.safetensors").string() +
          " was trained on other cubes, or one of them has changed since: choose another name with -o");
  expect_failure(run_program(joined(train, {"--set", "train.epochs=3"})), 2,
                 (folder / "m.safetensors").string() + " was trained with another configuration");
}

}  // namespace
}  // namespace hyperdefect::test
