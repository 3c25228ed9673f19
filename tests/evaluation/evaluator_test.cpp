// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/evaluation/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hyperdefect/core/error.h"
#include "hyperdefect/engine/results.h"
#include "hyperdefect/io/map_writer.h"
#include "hyperdefect/io/mask_writer.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::evaluation {
namespace {

const torch::Tensor kTruth = torch::tensor({{true, false, false}, {false, false, false}});
/// The defect is found before all normal pixels, or behind one of five.
const torch::Tensor kGood = torch::tensor({{0.9F, 0.1F, 0.2F}, {0.3F, 0.4F, 0.5F}});
const torch::Tensor kFair = torch::tensor({{0.8F, 0.9F, 0.2F}, {0.3F, 0.4F, 0.5F}});
const torch::Tensor kNormal = torch::zeros({2, 3}, torch::kBool);

class Evaluate : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(maps_);
    std::filesystem::create_directories(truth_);
  }

  void write_scores(const std::string& name, const torch::Tensor& scores, const std::string& kind = "score") {
    std::filesystem::create_directories((maps_ / name).parent_path());
    io::write_map((maps_ / name).string() + "_" + kind + ".tif", scores, {}, {}, std::nan(""));
  }

  /// 255 is invalid.
  void write_marks(const std::string& name, const torch::Tensor& marks) {
    io::write_map((maps_ / name).string() + "_defects.tif", marks.to(torch::kByte), {}, {}, 255);
  }

  void write_truth(const std::string& file, const torch::Tensor& mask) {
    const auto path = truth_ / file;
    std::filesystem::create_directories(path.parent_path());
    if (path.extension() == ".png") {
      io::write_mask(path, mask);
    } else {
      io::write_map(path, mask.to(torch::kByte), {}, {}, std::nullopt);
    }
  }

  Evaluation evaluated(const std::string& kind = "score") const {
    return evaluate(maps_, truth_, kind, monitor_);
  }

  mutable engine::ProgressMonitor monitor_;
  test::TempDir folder_;
  std::filesystem::path maps_ = folder_ / "maps";
  std::filesystem::path truth_ = folder_ / "truth";
};

TEST(Judge, DefectThatIsFoundFirst) {
  const auto quality = evaluate_map(kGood, kTruth);
  EXPECT_TRUE(quality.defective);
  EXPECT_EQ(quality.defect_pixels, 1);
  EXPECT_EQ(quality.valid_pixels, 6);
  EXPECT_FLOAT_EQ(quality.score_max.value(), 0.9F);
  EXPECT_DOUBLE_EQ(quality.auroc.value(), 1.0);
  EXPECT_DOUBLE_EQ(quality.average_precision.value(), 1.0);
  EXPECT_DOUBLE_EQ(quality.best_f1.value().f1, 1.0);
  EXPECT_FLOAT_EQ(quality.best_f1.value().threshold, 0.9F);
  EXPECT_DOUBLE_EQ(quality.aupro.value(), 1.0);
}

TEST(Judge, DefectBehindOneOfFiveNormalPixels) {
  const auto quality = evaluate_map(kFair, kTruth);
  EXPECT_DOUBLE_EQ(quality.auroc.value(), 0.8);
  EXPECT_DOUBLE_EQ(quality.average_precision.value(), 0.5);
  EXPECT_NEAR(quality.best_f1.value().f1, 2.0 / 3.0, 1e-12);
  EXPECT_FLOAT_EQ(quality.best_f1.value().threshold, 0.8F);
  EXPECT_LT(quality.aupro.value(), 1.0);
  // The scores reach from .2 to .9.
  EXPECT_NEAR(quality.roc_3d.value().auc_d_tau, 6.0 / 7, 1e-6);
  EXPECT_NEAR(quality.roc_3d.value().auc_f_tau, 13.0 / 35, 1e-6);
}

TEST(Judge, LeavesOutInvalidPixels) {
  auto scores = kFair.clone();
  scores.index_put_({0, 1}, std::nanf(""));
  const auto quality = evaluate_map(scores, kTruth);
  EXPECT_EQ(quality.valid_pixels, 5);
  EXPECT_DOUBLE_EQ(quality.auroc.value(), 1.0);
  EXPECT_FLOAT_EQ(quality.score_max.value(), 0.8F);
}

TEST(Judge, DefectOnInvalidPixelsAloneCannotBeMeasured) {
  auto scores = kGood.clone();
  scores.index_put_({0, 0}, std::nanf(""));
  const auto quality = evaluate_map(scores, kTruth);
  EXPECT_TRUE(quality.defective);
  EXPECT_EQ(quality.defect_pixels, 0);
  EXPECT_FALSE(quality.auroc || quality.average_precision || quality.best_f1 || quality.aupro);
}

TEST(Judge, TruthWithoutDefectLeavesOnlyTheHighestScore) {
  const auto quality = evaluate_map(kGood, kNormal);
  EXPECT_FALSE(quality.defective);
  EXPECT_FLOAT_EQ(quality.score_max.value(), 0.9F);
  EXPECT_FALSE(quality.auroc || quality.average_precision || quality.best_f1 || quality.aupro);
}

TEST(Judge, MapWithoutValidPixels) {
  const auto quality = evaluate_map(torch::full({2, 3}, std::nanf("")), kTruth);
  EXPECT_EQ(quality.valid_pixels, 0);
  EXPECT_FALSE(quality.score_max || quality.auroc || quality.aupro);
}

TEST(Judge, RefusesOtherSizes) {
  EXPECT_THROW(evaluate_map(torch::zeros({2, 2}), kTruth), c10::Error);
}

TEST(MeanQualityOf, TakesCubesWhereTheMeasureIsDefined) {
  const auto mean =
      mean_quality({evaluate_map(kGood, kTruth), evaluate_map(kFair, kTruth), evaluate_map(kFair, kNormal)});
  EXPECT_EQ(mean.cubes, 3);
  EXPECT_DOUBLE_EQ(mean.auroc.value(), 0.9);
  EXPECT_DOUBLE_EQ(mean.average_precision.value(), 0.75);
  EXPECT_NEAR(mean.f1_max.value(), 5.0 / 6.0, 1e-12);
  EXPECT_NEAR(mean.auc_d_tau.value(), 13.0 / 14, 1e-6);
  EXPECT_NEAR(mean.auc_f_tau.value(), (0.25 + 13.0 / 35) / 2, 1e-6);
  EXPECT_FALSE(mean_quality({evaluate_map(kFair, kNormal)}).auroc);
}

TEST_F(Evaluate, FindsTruthsByName) {
  write_scores("b", kGood);
  write_scores("a.img", kFair);
  write_scores("scan_0.5", kGood);
  write_truth("b_mask.tif", kTruth);
  write_truth("a_mask.png", kTruth);
  write_truth("scan_0_mask.png", kTruth);
  const auto evaluation = evaluated();
  ASSERT_EQ(evaluation.cubes.size(), 2U);
  EXPECT_EQ(evaluation.cubes[0].name, "a.img");
  EXPECT_DOUBLE_EQ(evaluation.cubes[0].auroc.value(), 0.8);
  EXPECT_EQ(evaluation.cubes[1].name, "b");
  EXPECT_DOUBLE_EQ(evaluation.mean.auroc.value(), 0.9);
  EXPECT_TRUE(evaluation.folders.empty());
  EXPECT_EQ(evaluation.without_truth, std::vector<std::string>{"scan_0.5"});
}

TEST_F(Evaluate, PrefersTheTruthOfTheWholeName) {
  write_scores("a.img", kGood);
  write_truth("a_mask.png", kNormal);
  write_truth("a.img_mask.png", kTruth);
  EXPECT_TRUE(evaluated().cubes[0].defective);
}

TEST_F(Evaluate, AveragesEachFolder) {
  write_scores("top", kGood);
  write_scores("day1/scan", kGood);
  write_scores("day1/scan2", kFair);
  for (const auto* name : {"top_mask.png", "day1/scan_mask.png", "day1/scan2_mask.png"}) {
    write_truth(name, kTruth);
  }
  const auto folders = evaluated().folders;
  ASSERT_EQ(folders.size(), 2U);
  EXPECT_EQ(folders[0].name, ".");
  EXPECT_EQ(folders[0].mean.cubes, 1);
  EXPECT_EQ(folders[1].name, "day1");
  EXPECT_EQ(folders[1].mean.cubes, 2);
  EXPECT_DOUBLE_EQ(folders[1].mean.auroc.value(), 0.9);
}

TEST_F(Evaluate, TellsCubesWithDefectsFromThoseWithout) {
  write_scores("defective", kGood);
  write_truth("defective_mask.png", kTruth);
  EXPECT_FALSE(evaluated().image_auroc);
  write_scores("normal", kFair * 0.5);
  write_truth("normal_mask.png", kNormal);
  write_scores("empty", torch::full({2, 3}, std::nanf("")));
  write_truth("empty_mask.png", kNormal);
  EXPECT_DOUBLE_EQ(evaluated().image_auroc.value(), 1.0);
}

TEST_F(Evaluate, JudgesTheMapOfThatKind) {
  write_scores("a", kGood);
  write_scores("a", kFair, "sad");
  write_truth("a_mask.png", kTruth);
  EXPECT_DOUBLE_EQ(evaluated("sad").cubes[0].auroc.value(), 0.8);
}

TEST_F(Evaluate, CountsWhatIsMarked) {
  auto scores = kFair.clone();
  scores.index_put_({1, 2}, std::nanf(""));
  write_scores("a", scores);
  write_marks("a", torch::tensor({{1, 1, 0}, {0, 255, 1}}));
  write_truth("a_mask.png", kTruth);
  write_scores("b", kGood);
  write_truth("b_mask.png", kTruth);
  const auto evaluation = evaluated();
  const auto predicted = evaluation.cubes[0].predicted.value();
  EXPECT_EQ(predicted.true_positives, 1);
  EXPECT_EQ(predicted.false_positives, 1);
  EXPECT_EQ(predicted.false_negatives, 0);
  EXPECT_EQ(predicted.true_negatives, 2);
  EXPECT_FALSE(evaluation.cubes[1].predicted);
  EXPECT_DOUBLE_EQ(evaluation.mean.precision.value(), 0.5);
  EXPECT_NEAR(evaluation.mean.f1.value(), 2.0 / 3.0, 1e-12);
  EXPECT_DOUBLE_EQ(evaluation.mean.recall.value(), 1.0);
  EXPECT_NEAR(evaluation.mean.false_alarm_rate.value(), 1.0 / 3.0, 1e-12);
}

TEST_F(Evaluate, CountsCubesThatAreRightlyRejectedAndAccepted) {
  write_scores("a", kGood);
  write_truth("a_mask.png", kTruth);
  EXPECT_FALSE(evaluated().cube_confusion);
  const auto write = [&](const std::string& name, const torch::Tensor& marks, const torch::Tensor& truth) {
    write_scores(name, kGood);
    write_marks(name, marks);
    write_truth(name + "_mask.png", truth);
  };
  write("found", kTruth, kTruth);
  write("elsewhere", kTruth.flip({0}), kTruth);
  write("missed", kNormal, kTruth);
  write("accepted", kNormal, kNormal);
  write("false_alarm", kTruth, kNormal);
  const auto verdicts = evaluated().cube_confusion.value();
  EXPECT_EQ(verdicts.true_positives, 2);
  EXPECT_EQ(verdicts.false_negatives, 1);
  EXPECT_EQ(verdicts.true_negatives, 1);
  EXPECT_EQ(verdicts.false_positives, 1);
}

TEST_F(Evaluate, CountsAnUndecidedCubeAsNeitherRejectedNorAccepted) {
  for (const auto& [name, truth] : {std::pair{"defective", kTruth}, std::pair{"normal", kNormal}}) {
    write_scores(name, kGood);
    write_marks(name, kNormal);
    write_truth(std::string(name) + "_mask.png", truth);
    engine::ResultRow row;
    row.verdict = decision::Verdict::undecided;
    engine::write_row(maps_ / (std::string(name) + ".json"), row, {});
  }
  const auto verdicts = evaluated().cube_confusion.value();
  EXPECT_EQ(verdicts.true_positives + verdicts.true_negatives, 0);
  EXPECT_EQ(verdicts.false_positives, 1);
  EXPECT_EQ(verdicts.false_negatives, 1);
}

TEST_F(Evaluate, MarksFollowFromScoresAlone) {
  write_scores("a", kGood, "sad");
  write_marks("a", kTruth);
  write_truth("a_mask.png", kTruth);
  EXPECT_FALSE(evaluated("sad").cubes[0].predicted);
}

TEST_F(Evaluate, RefusesMarksOfAnotherSize) {
  write_scores("a", kGood);
  write_marks("a", torch::zeros({4, 5}));
  write_truth("a_mask.png", kTruth);
  HYPERDEFECT_EXPECT_ERROR(
      evaluated(), InputError,
      (maps_ / "a_defects.tif").string() + " has 4 x 5 pixels (rows x cols), but its truth ");
}

TEST_F(Evaluate, RefusesTruthOfAnotherSize) {
  write_scores("a", kGood);
  write_truth("a_mask.png", torch::zeros({4, 5}, torch::kBool));
  HYPERDEFECT_EXPECT_ERROR(evaluated(), InputError,
                           (maps_ / "a_score.tif").string() +
                               " has 2 x 3 pixels (rows x cols), but its truth " +
                               (truth_ / "a_mask.png").string() + " has 4 x 5: give the mask of this cube");
}

TEST_F(Evaluate, RefusesFoldersWithoutMaps) {
  HYPERDEFECT_EXPECT_ERROR(evaluated(), InputError,
                           maps_.string() + ": the folder holds no map (*_score.tif)");
  HYPERDEFECT_EXPECT_ERROR(evaluate(folder_ / "none", truth_, "score", monitor_), InputError,
                           "none: is not a folder; give a folder of results");
  HYPERDEFECT_EXPECT_ERROR(evaluate(maps_, folder_ / "none", "score", monitor_), InputError,
                           "none: is not a folder; give the folder of the masks");
}

TEST_F(Evaluate, RefusesMapsWithoutAnyTruth) {
  write_scores("a", kGood);
  HYPERDEFECT_EXPECT_ERROR(evaluated(), InputError,
                           "no map below " + maps_.string() + " has a truth in " + truth_.string() +
                               "; looked for " + (truth_ / "a_mask.png").string() + " (or .tif)");
}

}  // namespace
}  // namespace hyperdefect::evaluation
