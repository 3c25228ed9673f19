// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/roc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

namespace hyperdefect::metric {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

/// Scores with many ties, and labels of which a fifth are defects that score a little higher.
struct Sample {
  torch::Tensor scores;
  torch::Tensor labels;
};

Sample tied_sample(std::int64_t n) {
  torch::manual_seed(5);
  const auto labels = torch::rand({n}) < 0.2;
  return {(torch::randn({n}) * 4 + 3 * labels).round(), labels};
}

/// Counts pairs, as the definition says.
double naive_auroc(const Sample& sample) {
  const auto high = sample.scores.masked_select(sample.labels).unsqueeze(1);
  const auto low = sample.scores.masked_select(sample.labels.logical_not()).unsqueeze(0);
  return ((high > low).to(torch::kDouble) + 0.5 * (high == low)).mean().item<double>();
}

struct Counts {
  double found;
  double alarms;
  double defects;
};

Counts counts_at(const Sample& sample, double threshold) {
  const auto flagged = sample.scores >= threshold;
  return {flagged.logical_and(sample.labels).sum().item<double>(),
          flagged.logical_and(sample.labels.logical_not()).sum().item<double>(),
          sample.labels.sum().item<double>()};
}

double naive_average_precision(const Sample& sample) {
  double area = 0;
  double recall = 0;
  for (int threshold = 40; threshold >= -40; --threshold) {
    const auto [found, alarms, defects] = counts_at(sample, threshold);
    area += found > 0 ? (found / defects - recall) * found / (found + alarms) : 0;
    recall = found / defects;
  }
  return area;
}

double naive_f1_max(const Sample& sample) {
  double best = 0;
  for (int threshold = 40; threshold >= -40; --threshold) {
    const auto [found, alarms, defects] = counts_at(sample, threshold);
    best = std::max(best, 2 * found / (found + alarms + defects));
  }
  return best;
}

TEST(RocCurve, CountsAtEachDistinctScore) {
  const auto curve = roc_curve(torch::tensor({0.2, 0.9, 0.5, 0.5, 0.1}), torch::tensor({0, 1, 1, 0, 0}));
  EXPECT_TRUE(curve.thresholds.equal(torch::tensor({0.9, 0.5, 0.2, 0.1})));
  EXPECT_TRUE(curve.true_positives.equal(torch::tensor({1, 2, 2, 2}, torch::kLong)));
  EXPECT_TRUE(curve.false_positives.equal(torch::tensor({0, 1, 2, 3}, torch::kLong)));
}

TEST(RocCurve, TakesMapsAndLabelsOfAnyType) {
  const auto scores = torch::tensor({{1.0F, 2.0F}, {3.0F, 4.0F}});
  const auto labels = torch::tensor({{0, 0}, {255, 255}}, torch::kByte);
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(scores, labels)), 1.0);
}

TEST(RocCurve, RefusesShapesThatDiffer) {
  EXPECT_THROW(roc_curve(torch::zeros({3}), torch::zeros({4})), c10::Error);
  EXPECT_THROW(roc_curve(torch::zeros({3}), torch::zeros({3}), torch::ones({1, 3}, torch::kBool)),
               c10::Error);
}

TEST(Auroc, IsTheShareOfPairsInOrder) {
  // The defects 0.8 and 0.4 beat 2 and 1 of the normal 0.1, 0.5.
  const auto curve = roc_curve(torch::tensor({0.8, 0.4, 0.1, 0.5}), torch::tensor({1, 1, 0, 0}));
  EXPECT_DOUBLE_EQ(*auroc(curve), 0.75);
}

TEST(Auroc, CountsTiesHalf) {
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(torch::tensor({1.0, 1.0, 0.0}), torch::tensor({1, 0, 0}))), 0.75);
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(torch::full({6}, 0.3), torch::tensor({1, 0, 0, 1, 0, 0}))), 0.5);
}

TEST(Auroc, EqualsTheCountOfPairs) {
  const auto sample = tied_sample(700);
  EXPECT_NEAR(*auroc(roc_curve(sample.scores, sample.labels)), naive_auroc(sample), 1e-12);
}

TEST(Auroc, DependsOnTheOrderOnly) {
  const auto sample = tied_sample(500);
  const auto plain = *auroc(roc_curve(sample.scores, sample.labels));
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(sample.scores.to(torch::kDouble).exp(), sample.labels)), plain);
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(sample.scores * 1e-20 + 0, sample.labels)), plain);
  EXPECT_NEAR(*auroc(roc_curve(-sample.scores, sample.labels)), 1 - plain, 1e-12);
}

TEST(Auroc, KeepsScoresBeyondOneApart) {
  // Scores squashed to [0, 1] would all be tied.
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(torch::tensor({900.0, 5.0, 7.0}), torch::tensor({1, 0, 0}))), 1.0);
}

TEST(Auroc, LeavesOutNanAndInvalidPixels) {
  const auto scores = torch::tensor({kNan, 3.0, 2.0, 9.0, 1.0});
  const auto labels = torch::tensor({1, 1, 0, 0, 0});
  const auto valid = torch::tensor({true, true, true, false, true});
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(scores, labels, valid)), 1.0);
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(scores, labels)), 2.0 / 3);
}

TEST(Auroc, TakesInfiniteScores) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_DOUBLE_EQ(*auroc(roc_curve(torch::tensor({infinite, infinite, 0.0}), torch::tensor({1, 0, 0}))),
                   0.75);
}

TEST(Auroc, IsMissingWithOneClassOnly) {
  EXPECT_FALSE(auroc(roc_curve(torch::rand({4}), torch::zeros({4}))).has_value());
  EXPECT_FALSE(auroc(roc_curve(torch::rand({4}), torch::ones({4}))).has_value());
  EXPECT_FALSE(auroc(roc_curve(torch::full({4}, kNan), torch::ones({4}))).has_value());
  EXPECT_FALSE(auroc(roc_curve(torch::empty({0}), torch::empty({0}))).has_value());
}

TEST(AveragePrecision, SumsPrecisionOverStepsOfRecall) {
  // Recall 1/2 at precision 1, recall 1 at precision 2/3.
  const auto curve = roc_curve(torch::tensor({0.8, 0.4, 0.1, 0.5}), torch::tensor({1, 1, 0, 0}));
  EXPECT_NEAR(*average_precision(curve), 0.5 + 0.5 * 2 / 3, 1e-12);
}

TEST(AveragePrecision, TakesEqualScoresAsOneStep) {
  const auto curve = roc_curve(torch::full({5}, 0.3), torch::tensor({1, 0, 0, 1, 0}));
  EXPECT_NEAR(*average_precision(curve), 0.4, 1e-12);
}

TEST(AveragePrecision, EqualsTheSumOverThresholds) {
  const auto sample = tied_sample(700);
  EXPECT_NEAR(*average_precision(roc_curve(sample.scores, sample.labels)), naive_average_precision(sample),
              1e-12);
}

TEST(AveragePrecision, NeedsADefectOnly) {
  EXPECT_FALSE(average_precision(roc_curve(torch::rand({4}), torch::zeros({4}))).has_value());
  EXPECT_DOUBLE_EQ(*average_precision(roc_curve(torch::rand({4}), torch::ones({4}))), 1.0);
}

TEST(F1Max, FindsTheBestThreshold) {
  // At .4: 2 found, 1 false alarm, none missed: 4 / 5. At .8: 1 found, 1 missed: 2 / 3.
  const auto best =
      f1_max(roc_curve(torch::tensor({0.8, 0.4, 0.1, 0.5}, torch::kDouble), torch::tensor({1, 1, 0, 0})));
  EXPECT_DOUBLE_EQ(best->f1, 0.8);
  EXPECT_DOUBLE_EQ(best->threshold, 0.4);
}

TEST(F1Max, TakesTheHighestOfEquallyGoodThresholds) {
  // At 3: 2 / (1 + 2); at 1: 4 / (4 + 2).
  const auto best = f1_max(roc_curve(torch::tensor({3.0, 2.0, 1.5, 1.0}), torch::tensor({1, 0, 0, 1})));
  EXPECT_DOUBLE_EQ(best->f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(best->threshold, 3.0);
}

TEST(F1Max, EqualsTheBestOfAllThresholds) {
  const auto sample = tied_sample(700);
  const auto best = f1_max(roc_curve(sample.scores, sample.labels));
  EXPECT_NEAR(best->f1, naive_f1_max(sample), 1e-12);
  const auto [found, alarms, defects] = counts_at(sample, best->threshold);
  EXPECT_NEAR(2 * found / (found + alarms + defects), best->f1, 1e-12);
}

TEST(F1Max, IsMissingWithoutADefect) {
  EXPECT_FALSE(f1_max(roc_curve(torch::rand({4}), torch::zeros({4}))).has_value());
}

TEST(Roc3dAreas, AreTheMeansOfNormalisedScores) {
  // Scores from 2 to 12 become 0 to 1: the defects .8 and 1, the background 0, .1 and .8.
  const auto areas =
      *roc_3d(roc_curve(torch::tensor({10.0, 12.0, 2.0, 3.0, 10.0}), torch::tensor({1, 1, 0, 0, 0})));
  EXPECT_NEAR(areas.auc_d_f, 5.5 / 6, 1e-12);
  EXPECT_NEAR(areas.auc_d_tau, 0.9, 1e-6);
  EXPECT_NEAR(areas.auc_f_tau, 0.3, 1e-6);
}

/// The areas under both shares over tau, by the midpoints of so many steps.
std::pair<double, double> areas_over_tau(const Sample& sample, int steps) {
  const auto low = sample.scores.min().item<double>();
  const auto high = sample.scores.max().item<double>();
  double detection = 0;
  double alarm = 0;
  for (int i = 0; i < steps; ++i) {
    const auto counts = counts_at(sample, low + (high - low) * (i + 0.5) / steps);
    detection += counts.found / counts.defects / steps;
    alarm += counts.alarms / (static_cast<double>(sample.scores.numel()) - counts.defects) / steps;
  }
  return {detection, alarm};
}

TEST(Roc3dAreas, EqualTheIntegralsOverTheThreshold) {
  const auto sample = tied_sample(300);
  const auto areas = *roc_3d(roc_curve(sample.scores, sample.labels));
  const auto [detection, alarm] = areas_over_tau(sample, 2000);
  EXPECT_NEAR(areas.auc_d_tau, detection, 1e-3);
  EXPECT_NEAR(areas.auc_f_tau, alarm, 1e-3);
  EXPECT_GT(areas.auc_d_tau, areas.auc_f_tau);
}

TEST(Roc3dAreas, DoNotDependOnTheUnitOfTheScores) {
  const auto sample = tied_sample(300);
  const auto plain = *roc_3d(roc_curve(sample.scores, sample.labels));
  const auto scaled = *roc_3d(roc_curve(sample.scores * 1000 - 70, sample.labels));
  EXPECT_NEAR(scaled.auc_d_tau, plain.auc_d_tau, 1e-6);
  EXPECT_NEAR(scaled.auc_f_tau, plain.auc_f_tau, 1e-6);
}

TEST(Roc3dAreas, NormaliseOverValidPixelsOnly) {
  const auto valid = torch::tensor({true, true, true, false});
  const auto areas =
      *roc_3d(roc_curve(torch::tensor({2.0, 1.0, 0.0, 9.0}), torch::tensor({1, 0, 0, 0}), valid));
  EXPECT_DOUBLE_EQ(areas.auc_d_tau, 1.0);
  EXPECT_DOUBLE_EQ(areas.auc_f_tau, 0.25);
}

TEST(Roc3dAreas, AreMissingWithoutARangeOrAClass) {
  const auto labels = torch::tensor({1, 0, 0});
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(roc_3d(roc_curve(torch::ones({3}), labels)).has_value());
  EXPECT_FALSE(roc_3d(roc_curve(torch::tensor({infinite, 1.0, 0.0}), labels)).has_value());
  EXPECT_FALSE(roc_3d(roc_curve(torch::rand({3}), torch::zeros({3}))).has_value());
}

TEST(ImageAuroc, RanksWholeImages) {
  EXPECT_DOUBLE_EQ(*image_auroc({3.0, 1.0, 2.0, 0.5}, {true, false, true, false}), 1.0);
  EXPECT_DOUBLE_EQ(*image_auroc({3.0, 1.0, kNan, 3.0}, {true, false, true, false}), 0.75);
  EXPECT_FALSE(image_auroc({3.0, 1.0}, {true, true}).has_value());
  EXPECT_FALSE(image_auroc({}, {}).has_value());
}

}  // namespace
}  // namespace hyperdefect::metric
