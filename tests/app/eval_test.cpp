// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "hyperdefect/io/map_writer.h"
#include "hyperdefect/io/mask_writer.h"
#include "support/program.h"

namespace hyperdefect::test {
namespace {

/// Two cubes in two folders: the defect is found first, or behind one of five normal pixels; and one without
/// a defect.
class Eval : public ::testing::Test {
 protected:
  void SetUp() override {
    write("day1/good", {0.9F, 0.1F, 0.2F, 0.3F, 0.4F, 0.5F}, true);
    write("day2/fair", {0.8F, 0.9F, 0.2F, 0.3F, 0.4F, 0.5F}, true);
    write("day2/normal", {0.1F, 0.1F, 0.2F, 0.3F, 0.4F, 0.5F}, false);
  }

  /// Maps of 2 x 3 pixels, whose first is the defect; scores above .6 are marked.
  void write(const std::string& name, const std::vector<float>& scores, bool defective) {
    for (const auto& folder : {maps_, truth_}) {
      std::filesystem::create_directories((std::filesystem::path(folder) / name).parent_path());
    }
    io::write_map(maps_ + "/" + name + "_score.tif", torch::tensor(scores).view({2, 3}), {}, {},
                  std::nan(""));
    io::write_map(maps_ + "/" + name + "_defects.tif",
                  torch::tensor(scores).view({2, 3}).gt(0.6).to(torch::kByte), {}, {}, 255);
    auto mask = torch::zeros({2, 3}, torch::kBool);
    mask.index_put_({0, 0}, defective);
    io::write_mask(truth_ + "/" + name + "_mask.png", mask);
  }

  Outcome eval(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"eval", maps_, "--truth", truth_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  TempDir folder_;
  std::string maps_ = (folder_ / "maps").string();
  std::string truth_ = (folder_ / "truth").string();
};

TEST_F(Eval, PrintsATable) {
  const auto outcome = eval();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(without_progress(outcome.err), "");
  EXPECT_EQ(
      outcome.out,
      "cube                   defect pixels   AUROC      AP  F1 max  at score   AUPRO   D,tau   F,tau      "
      "F1  precision  recall     FAR\n"
      "day1/good                          1  1.0000  1.0000  1.0000    0.9000  1.0000  1.0000  0.2500  "
      "1.0000     1.0000  1.0000  0.0000\n"
      "day2/fair                          1  0.8000  0.5000  0.6667    0.8000  0.3333  0.8571  0.3714  "
      "0.6667     0.5000  1.0000  0.2000\n"
      "day2/normal                        0       -       -       -         -       -       -       -       "
      "-          -       -  0.0000\n"
      "mean of day1, 1 cube                  1.0000  1.0000  1.0000            1.0000  1.0000  0.2500  "
      "1.0000     1.0000  1.0000  0.0000\n"
      "mean of day2, 2 cubes                 0.8000  0.5000  0.6667            0.3333  0.8571  0.3714  "
      "0.6667     0.5000  1.0000  0.1000\n"
      "mean of 3 cubes                       0.9000  0.7500  0.8333            0.6667  0.9286  0.3107  "
      "0.8333     0.7500  1.0000  0.0667\n"
      "image-level AUROC 1.0000\n"
      "2 of 2 cubes with a defect rejected\n"
      "1 of 1 cube without a defect accepted\n");
}

TEST_F(Eval, JudgesScoresWithoutMapsOfDefects) {
  for (const auto* name : {"/day1/good", "/day2/fair", "/day2/normal"}) {
    std::filesystem::remove(maps_ + name + "_defects.tif");
  }
  const auto outcome = eval();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(contains(outcome.out, "1.0000  1.0000  0.2500   -          -       -    -\n")) << outcome.out;
  EXPECT_FALSE(contains(outcome.out, "rejected"));
  const auto json = nlohmann::json::parse(eval({"--json"}).out);
  EXPECT_TRUE(json["image_verdicts"].is_null());
  EXPECT_TRUE(json["mean"]["f1"].is_null());
}

TEST_F(Eval, PrintsJson) {
  const auto outcome = eval({"--json"});
  EXPECT_EQ(outcome.exit_code, 0);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["score"], "score");
  EXPECT_DOUBLE_EQ(json["mean"]["auroc"], 0.9);
  EXPECT_DOUBLE_EQ(json["image_auroc"], 1.0);
  EXPECT_EQ(json["folders"][1]["folder"], "day2");
  ASSERT_EQ(json["cubes"].size(), 3U);
  EXPECT_EQ(json["cubes"][0]["cube"], "day1/good");
  EXPECT_EQ(json["cubes"][0]["defect_pixels"], 1);
  EXPECT_TRUE(json["cubes"][2]["auroc"].is_null());
  EXPECT_NEAR(json["mean"]["auc_d_tau"], 13.0 / 14, 1e-6);
  EXPECT_NEAR(json["cubes"][0]["auc_f_tau"], 0.25, 1e-6);
  EXPECT_TRUE(json["cubes"][2]["auc_d_tau"].is_null());
  EXPECT_TRUE(json["without_truth"].empty());
  EXPECT_NEAR(json["cubes"][1]["f1"], 2.0 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(json["cubes"][1]["precision"], 0.5);
  EXPECT_DOUBLE_EQ(json["cubes"][1]["recall"], 1);
  EXPECT_DOUBLE_EQ(json["folders"][1]["false_alarm_rate"], 0.1);
  EXPECT_EQ(
      json["image_verdicts"],
      nlohmann::json({{"defective", 2}, {"defective_rejected", 2}, {"normal", 1}, {"normal_accepted", 1}}));
}

TEST_F(Eval, WarnsOfMapsWithoutTruth) {
  std::filesystem::remove(truth_ + "/day2/normal_mask.png");
  const auto outcome = eval();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(contains(outcome.err,
                       "1 map of 3 left out because no mask was found in " + truth_ + ": day2/normal\n"));
  EXPECT_EQ(outcome.out.find("day2/normal"), std::string::npos);
}

TEST_F(Eval, JudgesTheAngleWhereAsked) {
  expect_failure(eval({"--score", "sad"}), 3, maps_ + ": the folder holds no map (*_sad.tif)");
  expect_failure(eval({"--score", "angle"}), 2,
                 "--score: angle not in {score,sad}; see `hyperdefect eval --help`");
}

TEST_F(Eval, NamesBothFilesWhereSizesDiffer) {
  io::write_mask(truth_ + "/day1/good_mask.png", torch::zeros({3, 3}, torch::kBool));
  expect_failure(eval(), 3, "good_score.tif has 2 x 3 pixels (rows x cols), but its truth ");
}

TEST_F(Eval, RefusesTwoTruthsOfACube) {
  std::filesystem::copy(truth_ + "/day1/good_mask.png", truth_ + "/day1/good_mask.tif");
  expect_failure(eval(), 3,
                 "good_mask.png and good_mask.tif: are both the truth of day1/good; keep one of them");
}

TEST_F(Eval, NeedsATruth) {
  expect_failure(run_program({"eval", maps_}), 2, "--truth is required");
  expect_failure(run_program({"eval", maps_, "--truth", maps_}), 3,
                 "no map below " + maps_ + " has a truth in ");
}

TEST(EvalOfResults, ScoresWhatDetectFinds) {
  const TempDir folder;
  const auto scenes = (folder / "scenes").string();
  const auto maps = (folder / "maps").string();
  ASSERT_EQ(run_program({"synth", "-o", scenes, "--rows", "24", "--cols", "24", "--bands", "20", "--defects",
                         "3", "--abundance", "0.5", "1"})
                .exit_code,
            0);
  const auto detected = run_program({"detect", scenes, "-o", maps, "--set", "model.detector=rx"});
  ASSERT_EQ(detected.exit_code, 0) << detected.err;
  const auto outcome = run_program({"eval", maps, "--truth", scenes, "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_GT(json["mean"]["auroc"].get<double>(), 0.9);
  EXPECT_EQ(json["image_verdicts"]["defective"], 1);
  EXPECT_TRUE(json["mean"]["false_alarm_rate"].is_number());
}

}  // namespace
}  // namespace hyperdefect::test
