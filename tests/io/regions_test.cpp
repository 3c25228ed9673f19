// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/regions.h"

#include <gtest/gtest.h>

namespace hyperdefect::io {
namespace {

torch::Tensor mask_of(std::initializer_list<std::initializer_list<int>> rows) {
  std::vector<torch::Tensor> lines;
  for (const auto& row : rows) {
    lines.push_back(torch::tensor(std::vector<int>(row)));
  }
  return torch::stack(lines).to(torch::kBool);
}

TEST(LabelRegions, JoinsPixelsThatTouchByACorner) {
  const auto regions = label_regions(mask_of({{0, 1, 0, 0, 1}, {1, 0, 0, 0, 0}, {0, 0, 0, 1, 1}}));
  EXPECT_EQ(regions.count, 3);
  EXPECT_EQ(regions.areas, (std::vector<std::int64_t>{2, 1, 2}));
  const auto expected = torch::tensor({{0, 1, 0, 0, 2}, {1, 0, 0, 0, 0}, {0, 0, 0, 3, 3}}, torch::kInt32);
  EXPECT_TRUE(regions.labels.equal(expected));
}

TEST(LabelRegions, FindsNothingInAnEmptyMask) {
  const auto regions = label_regions(torch::zeros({4, 5}, torch::kBool));
  EXPECT_EQ(regions.count, 0);
  EXPECT_TRUE(regions.areas.empty());
  EXPECT_EQ(regions.labels.sum().item<std::int64_t>(), 0);
}

TEST(LabelRegions, ReadsMasksThatAreViews) {
  const auto mask = mask_of({{1, 0}, {1, 0}, {0, 0}});
  EXPECT_TRUE(label_regions(mask.t()).labels.equal(label_regions(mask).labels.t()));
}

TEST(LabelRegions, RefusesWhatIsNoMask) {
  EXPECT_THROW(label_regions(torch::zeros({4, 5})), c10::Error);
  EXPECT_THROW(label_regions(torch::zeros({4}, torch::kBool)), c10::Error);
}

TEST(WithoutSmallRegions, KeepsRegionsOfTheGivenSizeAndMore) {
  const auto mask = mask_of({{1, 1, 0, 1}, {0, 0, 0, 0}, {1, 1, 1, 0}});
  EXPECT_TRUE(without_small_regions(mask, 2).equal(mask_of({{1, 1, 0, 0}, {0, 0, 0, 0}, {1, 1, 1, 0}})));
  EXPECT_TRUE(without_small_regions(mask, 3).equal(mask_of({{0, 0, 0, 0}, {0, 0, 0, 0}, {1, 1, 1, 0}})));
  EXPECT_TRUE(without_small_regions(mask, 1).equal(mask));
}

TEST(Eroded, KeepsWhatIsFarFromTheOutside) {
  auto mask = torch::ones({9, 9}, torch::kBool);
  mask[4][4] = false;
  EXPECT_TRUE(eroded(mask, 0).equal(mask));
  const auto smaller = eroded(mask, 2);
  EXPECT_EQ(smaller.logical_not().sum().item<std::int64_t>(), 25);
  EXPECT_FALSE(smaller[2][2].item<bool>());
  EXPECT_TRUE(smaller[0][0].item<bool>()) << "the image's border is not the product's";
  EXPECT_FALSE(eroded(mask, 20).any().item<bool>());
  EXPECT_TRUE(mask[4][3].item<bool>()) << "the mask itself stays";
}

TEST(WithSmallHolesFilled, LeavesLargeHolesAndThoseAtTheBorder) {
  const auto mask = mask_of({{1, 1, 1, 1, 1, 0}, {1, 0, 1, 0, 0, 1}, {1, 1, 1, 0, 1, 1}, {1, 1, 1, 1, 1, 1}});
  const auto filled =
      mask_of({{1, 1, 1, 1, 1, 0}, {1, 1, 1, 0, 0, 1}, {1, 1, 1, 0, 1, 1}, {1, 1, 1, 1, 1, 1}});
  EXPECT_TRUE(with_small_holes_filled(mask, 2).equal(filled));
  EXPECT_TRUE(with_small_holes_filled(mask, 0).equal(mask));
  // The hole of 3 pixels touches that at the border by a corner.
  EXPECT_TRUE(with_small_holes_filled(mask, 100).equal(filled));
}

}  // namespace
}  // namespace hyperdefect::io
