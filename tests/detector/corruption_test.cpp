// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/autoencoder/corruption.h"

#include <gtest/gtest.h>

#include "hyperdefect/image/crop.h"
#include "support/seeded.h"

namespace hyperdefect::detector {
namespace {

constexpr Size kImage{40, 33};
const std::vector<Window> kWindows{{0, 0, 7, 9}, {8, 16, 16, 8}, {13, 5, 1, 28}, {39, 32, 1, 1}};

TEST(QuarterMask, MatchesTheWrittenOutExample) {
  const CellGrid grid{2, 1, 0};
  // Row 0 belongs to the cell that began one row above the image.
  const auto wanted = torch::tensor({{1, 1, 0, 0, 1}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {1, 1, 0, 0, 1}});
  EXPECT_TRUE(torch::equal(quarter_mask({0, 0, 4, 5}, grid, 0), wanted.to(torch::kBool)));
}

TEST(QuarterMask, QuartersPartitionTheImage) {
  for (const std::int64_t size : {1, 2, 3, 5, 16, 64}) {
    auto count = torch::zeros({kImage.rows, kImage.cols}, torch::kLong);
    for (std::int64_t quarter = 0; quarter < 4; ++quarter) {
      count += quarter_mask(whole(kImage), {size, size / 2, size / 3}, quarter).to(torch::kLong);
    }
    EXPECT_TRUE(count.eq(1).all().item<bool>()) << size;
  }
}

TEST(QuarterMask, IsAnchoredAtTheImage) {
  const CellGrid grid{3, 2, 1};
  for (std::int64_t quarter = 0; quarter < 4; ++quarter) {
    const auto scene = quarter_mask(whole(kImage), grid, quarter);
    for (const auto& window : kWindows) {
      EXPECT_TRUE(torch::equal(quarter_mask(window, grid, quarter), image::crop(scene, window)));
    }
  }
}

TEST(RandomMask, CoversTheFraction) {
  auto generator = test::seeded(5);
  double sum = 0;
  for (int i = 0; i < 50; ++i) {
    const auto mask = random_mask({30, 45}, 3, 0.3, generator);
    ASSERT_EQ(mask.sizes(), at::IntArrayRef({30, 45}));
    sum += mask.to(torch::kDouble).mean().item<double>();
  }
  EXPECT_NEAR(sum / 50, 0.3, 0.02);
}

TEST(RandomMask, HidesWholeCells) {
  auto generator = test::seeded(6);
  const auto mask = random_mask({24, 24}, 4, 0.5, generator);
  // Within a cell neighbours agree: along a row the mask changes only at one place in four.
  const auto changes = mask.slice(1, 1).ne(mask.slice(1, 0, -1)).any(0).nonzero().flatten();
  ASSERT_GT(changes.numel(), 1);
  EXPECT_TRUE(changes.remainder(4).eq(changes[0].remainder(4)).all().item<bool>());
}

TEST(RandomMask, FitsIntoPatchesSmallerThanACell) {
  auto generator = test::seeded(7);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(random_mask({1, 3}, 16, 0.5, generator).sizes(), at::IntArrayRef({1, 3}));
  }
}

TEST(RandomDefects, ChangeTheirMaskAndNothingElse) {
  auto generator = test::seeded(8);
  const auto defects = random_defects(20, {32, 24}, {}, generator);
  ASSERT_EQ(defects.change.sizes(), at::IntArrayRef({20, 32, 24}));
  EXPECT_TRUE(torch::equal(defects.change.ne(0).any(0), defects.mask));
  const auto covered = defects.mask.to(torch::kDouble).mean().item<double>();
  EXPECT_GT(covered, 0.02);
  EXPECT_LT(covered, 0.05 + 36.0 / (32 * 24));
}

TEST(RandomDefects, AmplitudesStayInTheirBounds) {
  auto generator = test::seeded(9);
  // A spectrum is a sum of 32 waves with variance 1: it stays below 8, and its root mean square lies near 1.
  const DefectOptions options{0.9, 1, 0.1, 0.2};
  const auto defects = random_defects(50, {20, 20}, options, generator);
  const auto rms = defects.change.square().mean(0).sqrt().masked_select(defects.mask);
  EXPECT_LT(defects.change.abs().max().item<double>(), 8 * options.max_amplitude);
  EXPECT_GT(rms.median().item<double>(), 0.7 * options.min_amplitude);
  EXPECT_LT(rms.median().item<double>(), 1.3 * options.max_amplitude);
}

TEST(RandomDefects, AreSmoothOverTheSpectrum) {
  auto generator = test::seeded(10);
  const auto defects = random_defects(600, {16, 16}, {0.5, 1, 1.0, 1.0}, generator);
  const auto spectra = defects.change.flatten(1).index_select(1, defects.mask.flatten().nonzero().flatten());
  const auto steps = (spectra.slice(0, 1) - spectra.slice(0, 0, -1)).square().mean(0).sqrt();
  // Length scales begin at 600 / 60 = 10 bands; white noise would step by 1.4.
  EXPECT_LT(steps.max().item<double>(), 0.25);
}

TEST(RandomDefects, AreTheSameInAllPixelsOfASpot) {
  auto generator = test::seeded(11);
  const auto defects = random_defects(5, {12, 12}, {0.01, 6, 0.1, 1.0}, generator);
  const auto spectra = defects.change.flatten(1).index_select(1, defects.mask.flatten().nonzero().flatten());
  EXPECT_EQ(std::get<0>(torch::unique_dim(spectra, 1)).size(1), 1);
}

TEST(RandomDefects, FitIntoOnePixelAndOneFeature) {
  auto generator = test::seeded(12);
  const auto defects = random_defects(1, {1, 1}, {}, generator);
  EXPECT_TRUE(defects.mask.item<bool>());
}

TEST(RandomDefects, EqualSeedsGiveEqualDefects) {
  auto a = test::seeded(13);
  auto b = test::seeded(13);
  EXPECT_TRUE(
      torch::equal(random_defects(9, {16, 16}, {}, a).change, random_defects(9, {16, 16}, {}, b).change));
}

}  // namespace
}  // namespace hyperdefect::detector
