// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/defect_shape.h"

#include <gtest/gtest.h>

#include "hyperdefect/image/crop.h"
#include "support/seeded.h"

namespace hyperdefect::synthetic {
namespace {

TEST(DefectShape, CoversTheAreaItWasDrawnWith) {
  auto generator = test::seeded(1);
  image::RandomSource random(generator);
  double ratio = 0.0;
  for (int i = 0; i < 200; ++i) {
    const auto shape = draw_shape(30.0, random);
    Placement place{32.0, 32.0, whole({64, 64})};
    const auto covered = coverage(shape, place);
    EXPECT_GE(covered.min().item<float>(), 0.0F);
    EXPECT_LE(covered.max().item<float>(), 1.0F);
    ratio += covered.sum().item<double>() / 30.0 / 200;
  }
  EXPECT_NEAR(ratio, 1.0, 0.05);
}

TEST(DefectShape, TouchesThePixelOfItsCentreHoweverSmallItIs) {
  auto generator = test::seeded(2);
  image::RandomSource random(generator);
  const auto shape = draw_shape(0.01, random);
  const Placement place{5.9, 3.1, {2, 1, 6, 6}};
  EXPECT_GE(coverage(shape, place)[3][2].item<float>(), 0.5F);
}

TEST(DefectShape, KeepsOffWhatIsTakenWhileThereIsRoom) {
  auto generator = test::seeded(3);
  image::RandomSource random(generator);
  auto taken = torch::zeros({40, 40}, torch::kBool);
  taken.narrow(1, 0, 10).fill_(true);
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(image::crop(taken, draw_placement(taken, 2.0, random).window).any().item<bool>());
  }
  EXPECT_NO_THROW(draw_placement(torch::ones({4, 4}, torch::kBool), 2.0, random));
}

TEST(DefectShape, WindowsAreCutAtTheImagesBorder) {
  auto generator = test::seeded(4);
  image::RandomSource random(generator);
  const auto free = torch::zeros({6, 9}, torch::kBool);
  for (int i = 0; i < 50; ++i) {
    const auto window = draw_placement(free, 8.0, random).window;
    EXPECT_EQ(window, clipped(window, {6, 9}));
    EXPECT_GT(window.pixels(), 0);
  }
}

}  // namespace
}  // namespace hyperdefect::synthetic
