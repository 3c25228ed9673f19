// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/window.h"

#include <gtest/gtest.h>

namespace hyperdefect {
namespace {

constexpr Size kImage{10, 20};

TEST(Window, KnowsItsEndsAndItsSize) {
  const Window window{2, 3, 4, 5};
  EXPECT_EQ(window.end_row(), 6);
  EXPECT_EQ(window.end_col(), 8);
  EXPECT_EQ(window.size(), (Size{4, 5}));
  EXPECT_EQ(window.pixels(), 20);
  EXPECT_EQ(whole(kImage), (Window{0, 0, 10, 20}));
}

TEST(Window, CountsThePixelsOfLargeImages) {
  EXPECT_EQ((Size{100000, 100000}).pixels(), 10000000000);
}

TEST(Clipped, LeavesAWindowInsideAlone) {
  EXPECT_EQ(clipped({2, 3, 4, 5}, kImage), (Window{2, 3, 4, 5}));
  EXPECT_EQ(clipped(whole(kImage), kImage), whole(kImage));
}

TEST(Clipped, CutsAtEveryBorder) {
  EXPECT_EQ(clipped({-2, -3, 4, 5}, kImage), (Window{0, 0, 2, 2}));
  EXPECT_EQ(clipped({8, 18, 4, 5}, kImage), (Window{8, 18, 2, 2}));
  EXPECT_EQ(clipped({-5, -5, 100, 100}, kImage), whole(kImage));
}

TEST(Clipped, IsEmptyOutside) {
  for (const Window& outside :
       {Window{-9, 0, 4, 5}, Window{12, 0, 4, 5}, Window{0, -9, 4, 5}, Window{0, 30, 4, 5}}) {
    EXPECT_EQ(clipped(outside, kImage).pixels(), 0);
  }
  EXPECT_EQ(clipped({0, 0, 4, 5}, {0, 0}).pixels(), 0);
}

}  // namespace
}  // namespace hyperdefect
