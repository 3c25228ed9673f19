// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/pixel_hash.h"

#include <gtest/gtest.h>

#include <vector>

#include "hyperdefect/image/crop.h"

namespace hyperdefect::image {
namespace {

constexpr Size kImage{40, 33};
const std::vector<Window> kWindows{{0, 0, 7, 9}, {8, 16, 16, 8}, {13, 5, 1, 28}, {39, 32, 1, 1}};

TEST(PixelHash, IsAnchoredAtTheImage) {
  const auto scene = pixel_hash(whole(kImage), 1024, 17);
  for (const auto& window : kWindows) {
    EXPECT_TRUE(torch::equal(pixel_hash(window, 1024, 17), crop(scene, window)));
  }
}

TEST(PixelHash, IsSpreadEvenlyOverItsRange) {
  const auto hash = pixel_hash({100'000, 70'000, 100, 100}, 10, 3);
  EXPECT_GE(hash.min().item<std::int64_t>(), 0);
  const auto counts = torch::bincount(hash.flatten());
  ASSERT_EQ(counts.numel(), 10);
  EXPECT_GT(counts.min().item<std::int64_t>(), 850);
  EXPECT_LT(counts.max().item<std::int64_t>(), 1150);
}

TEST(PixelHash, DependsOnTheSeedAndTakesAllOfIt) {
  const auto zero = pixel_hash(whole(kImage), 1 << 20, 0);
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_LT(pixel_hash(whole(kImage), 1 << 20, seed).eq(zero).sum().item<std::int64_t>(), 5);
  }
}

}  // namespace
}  // namespace hyperdefect::image
