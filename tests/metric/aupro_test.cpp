// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/aupro.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/metric/roc.h"

namespace hyperdefect::metric {
namespace {

/// The curve point by point, as the definition says, on integer scores in [-40, 40].
double naive_aupro(const torch::Tensor& scores, const torch::Tensor& regions, std::int64_t count,
                   double max_fpr) {
  double area = 0;
  double last_fpr = 0;
  double last_overlap = 0;
  for (int threshold = 40; threshold >= -40 && last_fpr < max_fpr; --threshold) {
    const auto flagged = scores >= threshold;
    double overlap = 0;
    for (std::int64_t region = 1; region <= count; ++region) {
      overlap += flagged.masked_select(regions == region).to(torch::kDouble).mean().item<double>() /
                 static_cast<double>(count);
    }
    const double fpr = flagged.masked_select(regions == 0).to(torch::kDouble).mean().item<double>();
    const double end = std::min(fpr, max_fpr);
    if (fpr > last_fpr) {
      const double end_overlap =
          last_overlap + (overlap - last_overlap) * (end - last_fpr) / (fpr - last_fpr);
      area += (end - last_fpr) * (last_overlap + end_overlap) / 2;
    }
    last_fpr = fpr;
    last_overlap = overlap;
  }
  return area / max_fpr;
}

TEST(Aupro, CountsASmallDefectAsMuchAsALargeOne) {
  // The single pixel of region 2 is found first, the four of region 1 after all normal pixels.
  const auto scores = torch::tensor({9.0, 1.0, 1.0, 1.0, 1.0, 5.0, 4.0, 3.0, 2.0});
  const auto regions = torch::tensor({2, 1, 1, 1, 1, 0, 0, 0, 0}, torch::kInt);
  EXPECT_DOUBLE_EQ(*aupro(scores, regions), 0.5);
}

TEST(Aupro, InterpolatesUpToTheLimit) {
  // One tie holds half of the normal pixels and the whole defect: the line from (0, 0) to (.5, 1) ends at
  // (.3, .6).
  const auto scores = torch::tensor({2.0, 2.0, 1.0});
  const auto regions = torch::tensor({1, 0, 0}, torch::kInt);
  EXPECT_NEAR(*aupro(scores, regions), 0.3, 1e-12);
  EXPECT_NEAR(*aupro(scores, regions, {}, 1.0), 0.75, 1e-12);
}

TEST(Aupro, IsOneForAPerfectMap) {
  const auto regions = torch::tensor({{0, 1, 0}, {0, 0, 2}}, torch::kInt);
  EXPECT_NEAR(*aupro((regions > 0).to(torch::kFloat), regions), 1.0, 1e-12);
}

TEST(Aupro, EqualsTheDefinitionWithTies) {
  torch::manual_seed(3);
  const auto regions =
      torch::where(torch::rand({40, 30}) < 0.2, torch::randint(1, 5, {40, 30}), 0).to(torch::kInt);
  const auto scores = (4 * torch::randn({40, 30}) + 2 * (regions > 0)).round();
  for (const double limit : {0.05, 0.3, 1.0}) {
    EXPECT_NEAR(*aupro(scores, regions, {}, limit), naive_aupro(scores, regions, 4, limit), 1e-9) << limit;
  }
}

TEST(Aupro, EqualsAurocForOneRegionAndTheWholeRange) {
  torch::manual_seed(4);
  const auto regions = (torch::rand({300}) < 0.3).to(torch::kInt);
  const auto scores = torch::randn({300}).mul(3).round() + regions;
  EXPECT_NEAR(*aupro(scores, regions, {}, 1.0), *auroc(roc_curve(scores, regions)), 1e-12);
}

TEST(Aupro, DependsOnTheOrderOnly) {
  torch::manual_seed(6);
  const auto regions = torch::randint(0, 3, {200}).to(torch::kInt);
  const auto scores = torch::randn({200}, torch::kDouble);
  EXPECT_DOUBLE_EQ(*aupro(scores, regions), *aupro(scores.exp(), regions));
}

TEST(Aupro, LeavesOutInvalidPixelsAndDefectsWithoutOthers) {
  const auto scores = torch::tensor({9.0, std::numeric_limits<double>::quiet_NaN(), 7.0, 1.0, 8.0});
  const auto regions = torch::tensor({1, 2, 3, 0, 0}, torch::kInt);
  const auto valid = torch::tensor({true, true, true, true, false});
  EXPECT_NEAR(*aupro(scores, regions, valid), 1.0, 1e-12);
}

TEST(Aupro, IsMissingWithoutDefectsOrNormalPixels) {
  EXPECT_FALSE(aupro(torch::rand({4}), torch::zeros({4}, torch::kInt)).has_value());
  EXPECT_FALSE(aupro(torch::rand({4}), torch::ones({4}, torch::kInt)).has_value());
  EXPECT_FALSE(aupro(torch::rand({0}), torch::ones({0}, torch::kInt)).has_value());
}

TEST(Aupro, RefusesWrongArguments) {
  EXPECT_THROW(aupro(torch::rand({4}), torch::zeros({5}, torch::kInt)), c10::Error);
  EXPECT_THROW(aupro(torch::rand({4}), torch::zeros({4}, torch::kInt), {}, 0.0), c10::Error);
  EXPECT_THROW(aupro(torch::rand({4}), torch::zeros({4}, torch::kInt), {}, 1.5), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::metric
