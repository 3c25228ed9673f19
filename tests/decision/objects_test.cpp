// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/decision/objects.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hyperdefect::decision {
namespace {

const float kNan = std::nanf("");

/// (4, 6): an object of three pixels, a single pixel, and a faint neighbour of each.
torch::Tensor scores() {
  return torch::tensor({{0.0F, 5.0F, 0.0F, 0.0F, 0.0F, 0.0F},
                        {0.0F, 6.0F, 3.0F, 0.0F, 0.0F, 0.0F},
                        {0.0F, 0.0F, 4.5F, 0.0F, 0.0F, 7.0F},
                        {0.0F, 0.0F, 0.0F, 0.0F, 3.0F, 0.0F}});
}

Objects objects_with(const DetectionRule& rule) {
  return find_objects(scores(), torch::ones({4, 6}, torch::kBool), rule);
}

TEST(Objects, AreMeasured) {
  const auto objects = objects_with({.threshold = 4});
  ASSERT_EQ(objects.found.size(), 2U);
  const auto& first = objects.found[0];
  EXPECT_EQ(first.area_px, 3);
  EXPECT_DOUBLE_EQ(first.peak, 6);
  EXPECT_DOUBLE_EQ(first.mean, 15.5 / 3);
  EXPECT_DOUBLE_EQ(first.evidence, 3.5);
  EXPECT_DOUBLE_EQ(first.row, 1);
  EXPECT_DOUBLE_EQ(first.col, 4.0 / 3);
  EXPECT_EQ(first.box, (Window{0, 1, 3, 2}));
  EXPECT_TRUE(first.is_defect);
  EXPECT_EQ(objects.found[1].box, (Window{2, 5, 1, 1}));
  EXPECT_DOUBLE_EQ(largest_evidence(objects), 3.5);
  EXPECT_EQ(objects.labels.gt(0).sum().item<std::int64_t>(), 4);
}

TEST(Objects, GrowByHysteresisButDoNotBeginThere) {
  const auto objects = objects_with({.threshold = 4, .hysteresis = 1.5});
  ASSERT_EQ(objects.found.size(), 2U);
  EXPECT_EQ(objects.found[0].area_px, 4);
  EXPECT_DOUBLE_EQ(objects.found[0].evidence, 5 + 6 + 3 + 4.5 - 4 * 2.5);
  EXPECT_EQ(objects.found[1].area_px, 2);
  EXPECT_EQ(objects_with({.threshold = 8, .hysteresis = 6}).found.size(), 0U);
}

TEST(Objects, SmallOnesAreNotMarkedAndWeakOnesAreNoDefects) {
  const auto large = objects_with({.threshold = 4, .min_pixels = 2});
  ASSERT_EQ(large.found.size(), 1U);
  EXPECT_EQ(large.found[0].area_px, 3);
  EXPECT_EQ(large.labels.gt(0).sum().item<std::int64_t>(), 3);
  const auto judged = objects_with({.threshold = 4, .min_evidence = 3});
  ASSERT_EQ(judged.found.size(), 2U);
  EXPECT_TRUE(judged.found[0].is_defect);
  EXPECT_FALSE(judged.found[1].is_defect);
  EXPECT_FALSE(objects_with({.threshold = 4, .min_evidence = 3.5}).found[0].is_defect) << "more is needed";
}

TEST(Objects, InvalidPixelsAreNeverMarked) {
  auto values = scores();
  values[0][1] = kNan;
  auto valid = torch::ones({4, 6}, torch::kBool);
  valid[2][5] = false;
  valid[0][1] = false;
  const auto objects = find_objects(values, valid, {.threshold = 4});
  ASSERT_EQ(objects.found.size(), 1U);
  EXPECT_EQ(objects.found[0].area_px, 2);
  EXPECT_TRUE(find_objects(torch::empty({0, 5}), torch::empty({0, 5}, torch::kBool), {}).found.empty());
}

TEST(Objects, HaveTheMeanAngleOfThePixelsThatHaveOne) {
  auto objects = objects_with({.threshold = 4});
  auto angles = torch::full({4, 6}, 0.5F);
  angles[0][1] = kNan;
  angles[1][1] = 0.25F;
  angles[2][5] = kNan;
  measure_angles(objects, angles);
  EXPECT_DOUBLE_EQ(objects.found[0].sad_rad, 0.375);
  EXPECT_TRUE(std::isnan(objects.found[1].sad_rad));
}

}  // namespace
}  // namespace hyperdefect::decision
