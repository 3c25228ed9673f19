// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "hyperdefect/io/map_reader.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// An RX model of two cubes, and further normal cubes.
class Threshold : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::uint64_t i = 1; i <= 2; ++i) {
      write_cube(folder_ / "train" / (std::to_string(i) + ".img"), mixtures(8, 20, 20, i));
    }
    for (std::uint64_t i = 11; i <= 16; ++i) {
      write_cube(folder_ / "good" / (std::to_string(i) + ".img"), mixtures(8, 20, 20, i));
    }
    const auto outcome = run_program(joined({"train", folder_ / "train", "-o", model_}, rx()));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  Outcome threshold(const std::vector<std::string>& more = {}) const {
    return run_program(
        joined({"threshold", "--model", model_, folder_ / "good", "-o", new_, "--set",
                "threshold.method=false_alarm_rate", "--set", "threshold.cube_rate=0.2", "--threads", "1"},
               more));
  }

  nlohmann::json info(const std::string& file) const {
    return nlohmann::json::parse(run_program({"info", "--json", file}).out)[0];
  }

  TempDir folder_;
  std::string model_ = (folder_ / "m.safetensors").string();
  std::string new_ = (folder_ / "models/new.safetensors").string();
};

TEST_F(Threshold, IsSetAnewFromFurtherCubes) {
  const auto outcome = threshold({"--json", "--set", "threshold.pixel_rate=0.01"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(without_progress(outcome.err), "");
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["model"], new_);
  EXPECT_EQ(json["threshold_method"], "false_alarm_rate");
  EXPECT_EQ(json["false_alarms"]["cubes"], 6);
  EXPECT_EQ(json["false_alarms"]["in_sample"], false);
  EXPECT_NEAR(json["false_alarms"]["pixel_rate"]["seen"].get<double>(), 0.01, 0.01);
  EXPECT_EQ(info(new_)["threshold"], json["threshold"]);
  EXPECT_EQ(info(new_)["false_alarms"], json["false_alarms"]);
  EXPECT_NE(info(new_)["threshold"], info(model_)["threshold"]);
  // Of these very cubes 1 in 100 pixels is marked, and of six the one with the strongest object may be
  // rejected.
  const auto maps = (folder_ / "maps").string();
  ASSERT_EQ(run_program({"infer", "-m", new_, folder_ / "good", "-o", maps, "--threads", "1"}).exit_code, 0);
  double marked = 0;
  for (int i = 11; i <= 16; ++i) {
    marked += io::read_map(maps + "/" + std::to_string(i) + "_defects.tif").eq(1).sum().item<double>();
  }
  EXPECT_NEAR(marked / 2400, 0.01, 0.001);
}

TEST_F(Threshold, WordsSayWhatWasMeasured) {
  const auto outcome = threshold();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, new_ + ": threshold ")) << outcome.out;
  EXPECT_TRUE(contains(outcome.out, "false alarms on 6 normal cubes that the fit did not see:"))
      << outcome.out;
}

TEST_F(Threshold, ReplacesNothingUnasked) {
  write_bytes(new_, "mine");
  expect_failure(threshold(), 2, new_ + " exists (a model): nothing was done");
  EXPECT_EQ(read_bytes(new_), "mine");
  EXPECT_EQ(threshold({"--overwrite"}).exit_code, 0);
  expect_failure(run_program({"threshold", "-m", model_, folder_ / "good", "-o", folder_ / "new.pt"}), 2,
                 "the model's name must end in .safetensors");
}

TEST_F(Threshold, RefusesWhatContradictsTheModel) {
  expect_failure(threshold({"--set", "model.detector=crd"}), 2,
                 "model.detector is crd, but " + model_ + " was trained with rx");
  expect_failure(threshold({"--set", "threshold.pixel_rate=0"}), 2, "threshold.pixel_rate");
}

TEST_F(Threshold, NamesTheCubeThatCannotBeUsed) {
  write_cube(folder_ / "good/other.img", mixtures(5, 20, 20, 3));
  expect_failure(threshold(), 4, "other.img");
  EXPECT_FALSE(fs::exists(new_));
  fs::remove(folder_ / "good/other.img");
  fs::remove(folder_ / "good/other.hdr");
  write_cube(folder_ / "good/zero.img", torch::zeros({8, 20, 20}));
  expect_failure(threshold(), 3, "zero.img: no pixel is valid");
  EXPECT_FALSE(fs::exists(new_));
}

/// An object of a thousand faint pixels and one of a single clear pixel are both worth a look: objects
/// decide.
TEST_F(Threshold, ObjectsDecideAndAreListed) {
  ASSERT_EQ(threshold({"--set", "threshold.pixel_rate=0.01"}).exit_code, 0);
  write_cube(folder_ / "scan.img", mixtures_with_defect(8, 20, 20, 21));
  write_cube(folder_ / "clean.img", mixtures(8, 20, 20, 22));
  const auto maps = folder_ / "maps";
  ASSERT_EQ(run_program({"infer", "-m", new_, folder_ / "scan.img", folder_ / "clean.img", "-o", maps,
                         "--threads", "1", "--set", "output.p_value=true"})
                .exit_code,
            0);
  const auto row = nlohmann::json::parse(read_bytes(maps / "scan.json"));
  EXPECT_EQ(row["verdict"], "rejected");
  EXPECT_GE(row["objects"], row["defects"]);
  EXPECT_GE(row["marked_pixels"], row["defect_pixels"]);
  EXPECT_GT(row["evidence_max"], row["min_evidence"]);
  const auto first = row["strongest_objects"][0];
  EXPECT_EQ(first["is_defect"], true);
  EXPECT_EQ(first["row"], 2);
  EXPECT_EQ(first["col"], 3.5);
  EXPECT_EQ(first["area_px"], 2);
  const auto table = lines_of(read_bytes(maps / "objects.csv"));
  EXPECT_EQ(table.at(0),
            "file,id,is_defect,row,col,area_px,peak,mean,evidence,sad_rad,box_row,box_col,box_rows,box_cols");
  EXPECT_TRUE(table.at(1).starts_with((folder_ / "scan.img").string() + ",1,true,2.0,3.5,2,")) << table.at(1);
  const auto clean = nlohmann::json::parse(read_bytes(maps / "clean.json"));
  EXPECT_EQ(table.size(), 1 + row["objects"].get<std::size_t>() + clean["objects"].get<std::size_t>());
  if (clean["verdict"] == "accepted" && clean["objects"] > 0) {
    EXPECT_TRUE(contains(clean["reason"].get<std::string>(), " without the evidence of a defect"));
  }
  // p is what the score is the -log10 of.
  const auto score = io::read_map(maps / "scan_score.tif");
  const auto p = io::read_map(maps / "scan_p_value.tif");
  EXPECT_TRUE(torch::allclose(p, torch::pow(10.0, -score).clamp_max(1.0), 1e-4));
}

}  // namespace
}  // namespace hyperdefect::test
