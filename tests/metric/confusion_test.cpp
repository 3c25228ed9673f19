// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/confusion.h"

#include <gtest/gtest.h>

#include "hyperdefect/metric/roc.h"

namespace hyperdefect::metric {
namespace {

TEST(ConfusionOf, CountsEachKind) {
  const auto predicted = torch::tensor({{true, true, true, false}, {false, false, true, true}});
  const auto truth = torch::tensor({{true, true, false, true}, {false, false, false, true}});
  const auto valid = torch::tensor({{true, true, true, true}, {true, true, true, false}});
  const auto counts = confusion(predicted, truth, valid);
  EXPECT_EQ(counts.true_positives, 2);
  EXPECT_EQ(counts.false_positives, 2);
  EXPECT_EQ(counts.false_negatives, 1);
  EXPECT_EQ(counts.true_negatives, 2);
  EXPECT_DOUBLE_EQ(precision(counts).value(), 0.5);
  EXPECT_DOUBLE_EQ(recall(counts).value(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(false_alarm_rate(counts).value(), 0.5);
  EXPECT_DOUBLE_EQ(f1(counts).value(), 4.0 / 7);
}

TEST(ConfusionOf, AddsOneImageAfterTheOther) {
  Confusion counts;
  counts.add(true, true);
  counts.add(false, true);
  counts.add(false, true);
  counts.add(true, false);
  counts.add(false, false);
  EXPECT_EQ(counts.true_positives, 1);
  EXPECT_EQ(counts.false_negatives, 2);
  EXPECT_EQ(counts.false_positives, 1);
  EXPECT_EQ(counts.true_negatives, 1);
}

TEST(ConfusionOf, WithoutADefectOnlyFalseAlarmsAreDefined) {
  const Confusion counts{0, 1, 0, 3};
  EXPECT_DOUBLE_EQ(false_alarm_rate(counts).value(), 0.25);
  EXPECT_DOUBLE_EQ(precision(counts).value(), 0);
  EXPECT_FALSE(recall(counts) || f1(counts));
}

TEST(ConfusionOf, WhereNothingIsMarkedThereIsNoPrecision) {
  const Confusion counts{0, 0, 2, 3};
  EXPECT_FALSE(precision(counts));
  EXPECT_DOUBLE_EQ(recall(counts).value(), 0);
  EXPECT_DOUBLE_EQ(f1(counts).value(), 0);
  EXPECT_FALSE(false_alarm_rate({1, 0, 2, 0}));
}

TEST(ConfusionOf, AtTheBestThresholdHasTheBestF1) {
  torch::manual_seed(3);
  const auto truth = torch::rand({20, 30}) < 0.1;
  const auto scores = torch::randn({20, 30}) + 2 * truth;
  const auto best = f1_max(roc_curve(scores, truth)).value();
  const auto counts = confusion(scores >= best.threshold, truth, torch::ones_like(truth));
  EXPECT_DOUBLE_EQ(f1(counts).value(), best.f1);
}

TEST(ConfusionOf, RefusesOtherShapes) {
  const auto pixels = torch::ones({2, 3}, torch::kBool);
  EXPECT_THROW(confusion(pixels, torch::ones({3, 2}, torch::kBool), pixels), c10::Error);
  EXPECT_THROW(confusion(pixels, pixels, torch::ones({6}, torch::kBool)), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::metric
