// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/extreme_pixels.h"

#include <gtest/gtest.h>

#include <functional>

#include "hyperdefect/preprocess/band_picker.h"
#include "support/memory_blocks.h"

namespace hyperdefect::preprocess {
namespace {

constexpr std::int64_t kBands = 6;
constexpr Size kSize{32, 28};

torch::Tensor all_valid() {
  return test::all_valid(kSize);
}

std::shared_ptr<BlockSource> smooth_cube(std::uint64_t seed) {
  return test::memory_blocks(test::smooth_scene(kBands, kSize, seed));
}

/// Three pixels of a smooth scene with a value that no spectrum has.
class ThreeExtremes : public ::testing::Test {
 protected:
  ThreeExtremes() {
    usual_ = all_valid();
    set(2, 3, 4, 1e38);
    set(1, 20, 27, -9999);
    set(5, 31, 0, 65535);
  }

  void set(std::int64_t band, std::int64_t row, std::int64_t col, double value) {
    values_.index_put_({band, row, col}, value);
    usual_.index_put_({row, col}, false);
  }

  /// Leaves out of the sources, and what is said of it.
  std::shared_ptr<ExtremePixels> leave_out(std::vector<std::shared_ptr<BlockSource>>& sources) const {
    return ExtremePixels::leave_out(sources, bands_in_use(sources.front()->bands(), options_), options_);
  }

  static std::string said_by(const std::function<void()>& action) {
    ::testing::internal::CaptureStderr();
    action();
    return ::testing::internal::GetCapturedStderr();
  }

  torch::Tensor values_ = test::smooth_scene(kBands, kSize, 1);
  torch::Tensor usual_;
  PreprocessOptions options_;
};

TEST_F(ThreeExtremes, AreNotValidAndCountedOnceInWhateverPieces) {
  for (const std::int64_t step : {32, 10, 7}) {
    std::vector<std::shared_ptr<BlockSource>> sources{test::memory_blocks(values_, all_valid())};
    const auto extremes = leave_out(sources);
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t row = 0; row < kSize.rows; row += step) {
        const auto window = clipped({row, 0, step + 3, kSize.cols}, kSize);
        const auto block = sources.front()->read(window);
        EXPECT_TRUE(torch::equal(block.valid, usual_.narrow(0, window.row, window.rows)));
      }
    }
    EXPECT_EQ(extremes->pixels(), kSize.pixels());
    EXPECT_EQ(extremes->left_out(), 3);
    EXPECT_NE(
        said_by([&] { extremes->warn(); })
            .find("left 3 of 896 pixels out of the fit, because their values are far outside the usual "
                  "range (1e+38 in band 2 at row 3, column 4 of cube, all counted from 0); if such values "
                  "mark missing data, set data.no_data"),
        std::string::npos);
  }
}

TEST_F(ThreeExtremes, OfABandThatIsDroppedCostNoPixel) {
  options_.drop_bands = {1, 2};
  std::vector<std::shared_ptr<BlockSource>> sources{test::memory_blocks(values_, all_valid())};
  const auto extremes = leave_out(sources);
  (void)sources.front()->read(whole(kSize));
  EXPECT_EQ(extremes->left_out(), 1);
  EXPECT_NE(said_by([&] { extremes->warn(); }).find("(65535 in band 5 at row 31, column 0"),
            std::string::npos);
}

TEST_F(ThreeExtremes, AreFoundByWhatTheOtherCubesHold) {
  auto wrong = torch::full_like(values_, -9999);
  std::vector<std::shared_ptr<BlockSource>> sources{test::memory_blocks(wrong, all_valid())};
  for (int i = 0; i < 19; ++i) {
    sources.push_back(smooth_cube(static_cast<std::uint64_t>(i)));
  }
  const auto extremes = leave_out(sources);
  for (const auto& source : sources) {
    (void)source->read(whole(kSize));
  }
  EXPECT_EQ(extremes->left_out(), kSize.pixels());
}

TEST_F(ThreeExtremes, MoreThanATenthAreLeftInAndSaid) {
  // Each band alone looks right.
  for (std::int64_t band = 0; band < kBands; ++band) {
    values_[band].slice(0, 5 * band, 5 * band + 2).fill_(-9999);
  }
  std::vector<std::shared_ptr<BlockSource>> sources{test::memory_blocks(values_, all_valid())};
  const auto said = said_by([&] { (void)leave_out(sources); });
  EXPECT_NE(said.find("cube: the values of "), std::string::npos) << said;
  EXPECT_NE(said.find(" % of the pixels are far outside the range of the others: too many to be left out of "
                      "the fit; if such values mark missing data, set data.no_data"),
            std::string::npos);
  // No instrument counts to 1e38.
  auto possible = all_valid();
  possible.index_put_({3, 4}, false);
  EXPECT_TRUE(sources.front()->read(whole(kSize)).valid.equal(possible));
}

TEST_F(ThreeExtremes, NothingIsSaidOfOrdinaryCubes) {
  std::vector<std::shared_ptr<BlockSource>> sources{smooth_cube(1)};
  EXPECT_EQ(said_by([&] {
              const auto extremes = leave_out(sources);
              EXPECT_TRUE(sources.front()->read(whole(kSize)).valid.all().item<bool>());
              extremes->warn();
            }),
            "");
}

TEST_F(ThreeExtremes, OfCubesWithoutAValidPixelNothingIsSaid) {
  std::vector<std::shared_ptr<BlockSource>> sources{test::memory_blocks(values_, all_valid().logical_not())};
  EXPECT_EQ(leave_out(sources)->left_out(), 0);
}

}  // namespace
}  // namespace hyperdefect::preprocess
