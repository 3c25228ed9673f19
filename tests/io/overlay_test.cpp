// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/overlay.h"

#include <gtest/gtest.h>

#include <limits>
#include <opencv2/imgcodecs.hpp>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::io {
namespace {

using test::TempDir;
using Indices = std::vector<std::int64_t>;

spectral::Bands bands_every_10_nm(double first_nm, std::int64_t count) {
  spectral::Bands bands;
  bands.count = count;
  for (std::int64_t i = 0; i < count; ++i) {
    bands.wavelengths_nm.push_back(first_nm + 10 * static_cast<double>(i));
  }
  return bands;
}

TEST(DisplayBands, TakesRedGreenAndBlueWhereTheyAre) {
  auto bands = bands_every_10_nm(400, 61);
  EXPECT_EQ(display_bands(bands), (Indices{24, 15, 6}));
  bands.good.assign(61, true);
  bands.good[24] = false;
  EXPECT_EQ(display_bands(bands)[0], 25);
}

TEST(DisplayBands, DividesOtherRangesEvenly) {
  EXPECT_EQ(display_bands(bands_every_10_nm(1000, 60)), (Indices{50, 30, 10}));
  EXPECT_EQ(display_bands({6, {}, {}, {}}), (Indices{5, 3, 1}));
  EXPECT_EQ(display_bands({6, {}, {}, {true, true, true, false, false, false}}), (Indices{2, 1, 0}));
}

TEST(DisplayBands, ShowsOneBandOfAFew) {
  EXPECT_EQ(display_bands({1, {}, {}, {}}), Indices{0});
  EXPECT_EQ(display_bands({3, {}, {}, {false, true, true}}), Indices{1});
}

TEST(Quicklook, StretchesEachBandOverValidPixels) {
  auto bands = torch::arange(0, 101, torch::kFloat32).reshape({1, 1, 101});
  auto valid = torch::ones({1, 101}, torch::kBool);
  const auto stretched = quicklook(bands, valid);
  EXPECT_EQ(stretched[0][0][2].item<float>(), 0);
  EXPECT_EQ(stretched[0][0][98].item<float>(), 1);
  EXPECT_FLOAT_EQ(stretched[0][0][50].item<float>(), 0.5F);

  bands[0][0][100] = 1e9;
  bands[0][0][99] = std::numeric_limits<float>::quiet_NaN();
  valid[0][100] = false;
  const auto masked = quicklook(bands, valid);
  EXPECT_EQ(masked[0][0][100].item<float>(), 0);
  EXPECT_GT(masked[0][0][90].item<float>(), 0.9F);
  EXPECT_NEAR(masked[0][0][50].item<float>(), 0.5F, 0.02F);
  EXPECT_EQ(masked[0][0][99].item<float>(), 0) << "what is no number is dark";
}

TEST(Quicklook, ShowsWhatIsOutsideToo) {
  const auto bands = torch::arange(0, 101, torch::kFloat32).reshape({1, 1, 101});
  const auto valid = torch::arange(101).lt(50).unsqueeze(0);
  const auto outside = torch::arange(101).ge(90).unsqueeze(0);
  const auto shown = quicklook(bands, valid, outside);
  EXPECT_EQ(shown[0][0][60].item<float>(), 0);
  EXPECT_EQ(shown[0][0][95].item<float>(), 1) << "stretched over valid pixels alone";
}

TEST(Quicklook, ShowsNothingWhereNothingIsValid) {
  const auto dark = quicklook(torch::ones({3, 2, 2}), torch::zeros({2, 2}, torch::kBool));
  EXPECT_EQ(dark.sum().item<float>(), 0);
  EXPECT_THROW(quicklook(torch::ones({2, 2, 2}), torch::zeros({2, 2}, torch::kBool)), c10::Error);
}

struct Scene {
  torch::Tensor view;
  torch::Tensor score;
  torch::Tensor defects;
};

/// A grey scene with one defect of one pixel and one invalid corner.
Scene scene_of(std::int64_t rows, std::int64_t cols) {
  Scene scene{torch::full({1, rows, cols}, 0.5), torch::ones({rows, cols}),
              torch::zeros({rows, cols}, torch::kUInt8)};
  scene.score[rows / 2][cols / 2] = 10;
  scene.defects[rows / 2][cols / 2] = 1;
  scene.score[0][0] = std::numeric_limits<float>::quiet_NaN();
  scene.defects[0][0] = 255;
  return scene;
}

cv::Mat overlay_of(const Scene& scene) {
  const TempDir dir;
  write_overlay(dir / "a_overlay.png", {scene.view, scene.score, scene.defects, {}}, 5.0);
  return cv::imread((dir / "a_overlay.png").string());
}

/// Whether a pixel has the colour in which defects are outlined.
bool is_outline(const cv::Vec3b& bgr) {
  return bgr == cv::Vec3b(60, 30, 255);
}

std::int64_t outline_pixels(const cv::Mat& image, int right, int bottom) {
  std::int64_t count = 0;
  for (int row = 0; row < bottom; ++row) {
    for (int col = 0; col < right; ++col) {
      count += is_outline(image.at<cv::Vec3b>(row, col)) ? 1 : 0;
    }
  }
  return count;
}

TEST(WriteOverlay, EnlargesSmallImagesByAWholeFactor) {
  const auto picture = overlay_of(scene_of(32, 32));
  // 32 pixels become 13 * 32 = 416; a defect of 13 x 13 gets a frame of two pixels' width.
  EXPECT_GT(picture.rows, 416);
  EXPECT_GT(picture.cols, 2 * 416);
  EXPECT_EQ(outline_pixels(picture, 14 + 416, 40 + 416), 17 * 17 - 13 * 13);
}

TEST(WriteOverlay, ReducesLargeImagesWithoutLosingADefect) {
  const auto picture = overlay_of(scene_of(5000, 60));
  EXPECT_LT(picture.rows, 2048 + 100);
  EXPECT_EQ(outline_pixels(picture, 14 + 240, picture.rows), 3 * 3 - 1);
}

TEST(WriteOverlay, HatchesInvalidPixels) {
  const auto picture = overlay_of(scene_of(32, 32));
  const auto first = picture.at<cv::Vec3b>(40, 14);
  const auto later = picture.at<cv::Vec3b>(40, 14 + 4);
  EXPECT_EQ(first, cv::Vec3b(150, 150, 150));
  EXPECT_EQ(later, cv::Vec3b(45, 45, 45));
}

/// Black and white dashes around the region; what is outside of it is seen as it is, but has no score.
TEST(WriteOverlay, OutlinesTheRegion) {
  const TempDir dir;
  auto scene = scene_of(32, 32);
  auto region = torch::zeros({32, 32}, torch::kBool);
  region.slice(0, 8, 24).slice(1, 8, 32).fill_(true);
  scene.score.masked_fill_(region.logical_not(), std::numeric_limits<float>::quiet_NaN());
  scene.defects.masked_fill_(region.logical_not(), 255);
  write_overlay(dir / "a.png", {scene.view, scene.score, scene.defects, region}, 5);
  const auto picture = cv::imread((dir / "a.png").string());
  const int left = 14, top = 40, factor = 13, edge = left + 8 * factor;
  std::int64_t black = 0, white = 0;
  for (int row = top + 8 * factor; row < top + 24 * factor; ++row) {
    const auto pixel = picture.at<cv::Vec3b>(row, edge);
    black += pixel == cv::Vec3b(0, 0, 0) ? 1 : 0;
    white += pixel == cv::Vec3b(255, 255, 255) ? 1 : 0;
  }
  EXPECT_EQ(black + white, 16 * factor);
  EXPECT_NEAR(static_cast<double>(black), 8 * factor, 6);
  const cv::Vec3b grey(128, 128, 128);
  EXPECT_EQ(picture.at<cv::Vec3b>(top + 16 * factor, edge + 1), grey);
  EXPECT_EQ(picture.at<cv::Vec3b>(top + 16 * factor, edge - 1), grey);
  EXPECT_EQ(picture.at<cv::Vec3b>(top + 12 * factor, left + 32 * factor - 1), grey)
      << "no line at the image's border";
  EXPECT_EQ(picture.at<cv::Vec3b>(top, left), grey);
}

TEST(WriteOverlay, DrawsImagesOfOneLineAndOfNoValidPixel) {
  EXPECT_FALSE(overlay_of(scene_of(1, 900)).empty());
  EXPECT_FALSE(overlay_of(scene_of(900, 1)).empty());
  EXPECT_FALSE(overlay_of(scene_of(1, 1)).empty());
}

TEST(WriteOverlay, WritesTheSameBytesTwice) {
  const TempDir dir;
  const auto scene = scene_of(20, 30);
  write_overlay(dir / "a.png", {scene.view[0], scene.score, scene.defects, {}}, 5);
  write_overlay(dir / "b.png", {scene.view.expand({3, 20, 30}), scene.score, scene.defects, {}}, 5);
  EXPECT_EQ(test::read_bytes(dir / "a.png"), test::read_bytes(dir / "b.png"));
}

TEST(WriteOverlay, RefusesShapesThatDoNotFit) {
  const TempDir dir;
  const auto scene = scene_of(4, 5);
  const OverlayMaps whole{scene.view, scene.score, scene.defects, {}};
  auto maps = whole;
  maps.view = torch::zeros({2, 4, 5});
  EXPECT_THROW(write_overlay(dir / "a.png", maps, 1), c10::Error);
  maps = whole;
  maps.score = scene.score.t();
  EXPECT_THROW(write_overlay(dir / "a.png", maps, 1), c10::Error);
  maps = whole;
  maps.region = torch::ones({5, 4}, torch::kBool);
  EXPECT_THROW(write_overlay(dir / "a.png", maps, 1), c10::Error);
  HYPERDEFECT_EXPECT_ERROR(write_overlay(dir / "no" / "a.png", whole, 1), Error, "cannot write ");
}

}  // namespace
}  // namespace hyperdefect::io
