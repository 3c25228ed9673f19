// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/outline.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "hyperdefect/spectral/image_part.h"
#include "hyperdefect/spectral/turned.h"

namespace hyperdefect::spectral {
namespace {

at::Generator seeded(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

TEST(Outline, CoversTheAreaItWasDrawnWith) {
  auto generator = seeded(1);
  Dice dice(generator);
  const auto free = torch::zeros({64, 64}, torch::kBool);
  double ratio = 0.0;
  for (int i = 0; i < 200; ++i) {
    const auto outline = draw_outline(30.0, dice);
    Place place{32.0, 32.0, whole({64, 64})};
    const auto covered = coverage(outline, place);
    EXPECT_GE(covered.min().item<float>(), 0.0F);
    EXPECT_LE(covered.max().item<float>(), 1.0F);
    ratio += covered.sum().item<double>() / 30.0 / 200;
  }
  EXPECT_NEAR(ratio, 1.0, 0.05);
}

TEST(Outline, TouchesThePixelOfItsCentreHoweverSmallItIs) {
  auto generator = seeded(2);
  Dice dice(generator);
  const auto outline = draw_outline(0.01, dice);
  const Place place{5.9, 3.1, {2, 1, 6, 6}};
  EXPECT_GE(coverage(outline, place)[3][2].item<float>(), 0.5F);
}

TEST(Outline, KeepsOffWhatIsTakenWhileThereIsRoom) {
  auto generator = seeded(3);
  Dice dice(generator);
  auto taken = torch::zeros({40, 40}, torch::kBool);
  taken.narrow(1, 0, 10).fill_(true);
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(part_of(taken, draw_place(taken, 2.0, dice).window).any().item<bool>());
  }
  EXPECT_NO_THROW(draw_place(torch::ones({4, 4}, torch::kBool), 2.0, dice));
}

TEST(Outline, WindowsAreCutAtTheImagesBorder) {
  auto generator = seeded(4);
  Dice dice(generator);
  const auto free = torch::zeros({6, 9}, torch::kBool);
  for (int i = 0; i < 50; ++i) {
    const auto window = draw_place(free, 8.0, dice).window;
    EXPECT_EQ(window, clipped(window, {6, 9}));
    EXPECT_GT(window.pixels(), 0);
  }
}

TEST(Turned, GivesEightViewsOfASquareAndFourOfAnythingElse) {
  const auto count_views = [](const torch::Tensor& image) {
    std::vector<torch::Tensor> views;
    for (std::int64_t which = 0; which < 8; ++which) {
      const auto view = turned(image, which);
      EXPECT_EQ(view.sizes(), image.sizes());
      const bool known = std::any_of(views.begin(), views.end(),
                                     [&](const torch::Tensor& other) { return torch::equal(other, view); });
      if (!known) {
        views.push_back(view);
      }
    }
    return views.size();
  };
  EXPECT_EQ(count_views(torch::arange(18).view({2, 3, 3})), 8U);
  EXPECT_EQ(count_views(torch::arange(12).view({2, 2, 3})), 4U);
}

}  // namespace
}  // namespace hyperdefect::spectral
