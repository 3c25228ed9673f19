// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <string>

#include "hyperdefect/core/text.h"
#include "hyperdefect/io/png_writer.h"
#include "hyperdefect/io/regions.h"
#include "hyperdefect/metric/quantile.h"

namespace hyperdefect::io {
namespace {

constexpr std::array<double, 3> kDisplayWavelengthsNm{640, 550, 460};
constexpr double kFarthestDisplayBandNm = 40;
constexpr std::int64_t kSmallestLongSide = 400;
constexpr std::int64_t kLargestLongSide = 2048;
constexpr std::int64_t kPercentileSamples = 1 << 20;

constexpr int kMargin = 14;
constexpr int kTitleHeight = 26;
constexpr int kBarWidth = 18;
constexpr int kBarLabels = 118;
constexpr int kSmallestPanel = 240;
constexpr int kTicks = 5;
constexpr int kTextHeight = 12;
const cv::Scalar kPaper(255, 255, 255);
const cv::Scalar kInk(40, 40, 40);
const cv::Scalar kOutline(60, 30, 255);

std::int64_t nearest_good_band(const spectral::Bands& bands, double wavelength_nm) {
  std::int64_t best = -1;
  double best_distance = kFarthestDisplayBandNm;
  for (std::int64_t b = 0; b < bands.count; ++b) {
    const double distance = std::abs(bands.wavelengths_nm[static_cast<std::size_t>(b)] - wavelength_nm);
    if (bands.is_good(b) && distance <= best_distance) {
      best = b;
      best_distance = distance;
    }
  }
  return best;
}

std::vector<std::int64_t> visible_bands(const spectral::Bands& bands) {
  std::vector<std::int64_t> chosen;
  for (const double wavelength_nm : kDisplayWavelengthsNm) {
    const auto band = bands.wavelengths_nm.empty() ? -1 : nearest_good_band(bands, wavelength_nm);
    if (band < 0 || (!chosen.empty() && chosen.back() == band)) {
      return {};
    }
    chosen.push_back(band);
  }
  return chosen;
}

/// At most kPercentileSamples of the finite values.
torch::Tensor finite_sample(const torch::Tensor& values) {
  auto finite = values.masked_select(values.isfinite());
  const auto step = std::max<std::int64_t>(1, finite.numel() / kPercentileSamples);
  return finite.slice(0, 0, finite.numel(), step);
}

double rank_value(const torch::Tensor& sample, double part) {
  return metric::nearest_rank(sample, part).item<double>();
}

/// The colours that scores are shown in: `low` and below dark, `high` and above bright.
struct ScoreRange {
  double low = 0;
  double high = 1;
};

ScoreRange shown_range(const torch::Tensor& score, double threshold) {
  const auto sample = finite_sample(score);
  if (sample.numel() == 0) {
    return {};
  }
  ScoreRange range{rank_value(sample, 0.01), rank_value(sample, 0.999)};
  if (std::isfinite(threshold)) {
    range.low = std::min(range.low, threshold);
    range.high = std::max(range.high, threshold);
  }
  if (range.high <= range.low) {
    range.high = range.low + 1;
  }
  return range;
}

/// Everything that is drawn, (1 or 3, rows, cols) and (rows, cols), brought to the size of the picture.
struct Panels {
  torch::Tensor view;
  torch::Tensor score;
  torch::Tensor defect;
  torch::Tensor valid;
  torch::Tensor region;
  std::int64_t enlargement = 1;
};

torch::Tensor enlarged(const torch::Tensor& image, std::int64_t factor) {
  return image.repeat_interleave(factor, -2).repeat_interleave(factor, -1);
}

torch::Tensor pooled_max(const torch::Tensor& image, std::int64_t factor) {
  return torch::max_pool2d(image.unsqueeze(0), factor, factor, 0, 1, /*ceil_mode=*/true).squeeze(0);
}

torch::Tensor pooled_mean(const torch::Tensor& image, std::int64_t factor) {
  return torch::avg_pool2d(image.unsqueeze(0), factor, factor, 0, /*ceil_mode=*/true,
                           /*count_include_pad=*/false)
      .squeeze(0);
}

/// Of each square the mean of the view, but the highest score and any defect: a defect of one pixel stays
/// visible.
Panels reduced(const Panels& full, std::int64_t factor) {
  const auto any = [&](const torch::Tensor& mask) {
    return pooled_max(mask.to(torch::kFloat32).unsqueeze(0), factor).squeeze(0) > 0;
  };
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  const auto score = full.score.masked_fill(full.valid.logical_not(), kLowest);
  return {pooled_mean(full.view, factor),
          pooled_max(score.unsqueeze(0), factor).squeeze(0),
          any(full.defect),
          any(full.valid),
          any(full.region),
          1};
}

Panels fitted(const Panels& full) {
  const auto long_side = std::max(full.score.size(0), full.score.size(1));
  if (long_side > kLargestLongSide) {
    return reduced(full, (long_side + kLargestLongSide - 1) / kLargestLongSide);
  }
  const auto factor = std::max<std::int64_t>(1, (kSmallestLongSide + long_side - 1) / long_side);
  return {enlarged(full.view, factor),  enlarged(full.score, factor),  enlarged(full.defect, factor),
          enlarged(full.valid, factor), enlarged(full.region, factor), factor};
}

cv::Mat mask_image(const torch::Tensor& mask) {
  const auto bytes = mask.to(torch::kUInt8).mul(255).contiguous();
  return cv::Mat(static_cast<int>(mask.size(0)), static_cast<int>(mask.size(1)), CV_8U, bytes.data_ptr())
      .clone();
}

/// (1 or 3, rows, cols) RGB in [0, 1] as OpenCV's BGR bytes.
cv::Mat colour_image(const torch::Tensor& view) {
  auto bgr = view.expand({3, view.size(1), view.size(2)}).flip(0).permute({1, 2, 0});
  bgr = bgr.nan_to_num(0).clamp(0, 1).mul(255).round().to(torch::kUInt8).contiguous();
  return cv::Mat(static_cast<int>(view.size(1)), static_cast<int>(view.size(2)), CV_8UC3, bgr.data_ptr())
      .clone();
}

cv::Mat score_image(const torch::Tensor& score, const ScoreRange& range) {
  const auto share = (score.to(torch::kFloat64) - range.low) / (range.high - range.low);
  const auto levels = share.nan_to_num(0).clamp(0, 1).mul(255).round().to(torch::kUInt8).contiguous();
  const cv::Mat grey(static_cast<int>(score.size(0)), static_cast<int>(score.size(1)), CV_8U,
                     levels.data_ptr());
  cv::Mat coloured;
  cv::applyColorMap(grey, coloured, cv::COLORMAP_VIRIDIS);
  return coloured;
}

void hatch(cv::Mat& image, const cv::Mat& valid) {
  constexpr int kPeriod = 8;
  for (int row = 0; row < image.rows; ++row) {
    for (int col = 0; col < image.cols; ++col) {
      if (valid.at<std::uint8_t>(row, col) == 0) {
        image.at<cv::Vec3b>(row, col) =
            (row + col) % kPeriod < 2 ? cv::Vec3b(150, 150, 150) : cv::Vec3b(45, 45, 45);
      }
    }
  }
}

/// A line around each defect, outside of it, so that the defect itself stays visible.
void outline(cv::Mat& image, const cv::Mat& defect, std::int64_t enlargement) {
  const int width = enlargement > 3 ? 2 : 1;
  cv::Mat grown;
  cv::dilate(defect, grown, cv::Mat::ones(2 * width + 1, 2 * width + 1, CV_8U));
  image.setTo(kOutline, grown & ~defect);
}

/// A dashed line, black and white, so that it is seen on any ground: the outermost pixels of the region, but
/// not those at the border of the picture.
void outline_region(cv::Mat& image, const cv::Mat& region) {
  constexpr int kDash = 12;
  cv::Mat inner;
  cv::erode(region, inner, cv::Mat::ones(3, 3, CV_8U));
  const cv::Mat line = region & ~inner;
  for (int row = 0; row < image.rows; ++row) {
    for (int col = 0; col < image.cols; ++col) {
      if (line.at<std::uint8_t>(row, col) != 0) {
        image.at<cv::Vec3b>(row, col) =
            (row + col) % kDash < kDash / 2 ? cv::Vec3b(255, 255, 255) : cv::Vec3b(0, 0, 0);
      }
    }
  }
}

void write_text(cv::Mat& canvas, const std::string& words, cv::Point left_base) {
  cv::putText(canvas, words, left_base, cv::FONT_HERSHEY_SIMPLEX, 0.45, kInk, 1, cv::LINE_AA);
}

std::string short_number(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.3g", value);
  return buffer.data();
}

/// The colour scale, from the highest score at the top to the lowest; what is cut off has a sign before its
/// number.
class ColourBar {
 public:
  ColourBar(cv::Rect place, ScoreRange range) : place_(place), range_(range) {}

  void draw(cv::Mat& canvas, double threshold) const {
    draw_colours(canvas);
    draw_ticks(canvas, threshold);
    if (std::isfinite(threshold)) {
      const int row = row_of(threshold);
      const int right = place_.x + place_.width;
      cv::line(canvas, {place_.x - 5, row}, {right + 5, row}, kOutline, 2);
      cv::putText(canvas, short_number(threshold) + " limit", {right + 9, text_row(row)},
                  cv::FONT_HERSHEY_SIMPLEX, 0.45, kOutline, 1, cv::LINE_AA);
    }
  }

 private:
  int row_of(double value) const {
    const double share = std::clamp((value - range_.low) / (range_.high - range_.low), 0.0, 1.0);
    return place_.y + static_cast<int>(std::lround((1 - share) * (place_.height - 1)));
  }

  int text_row(int row) const {
    return std::clamp(row + kTextHeight / 2 - 1, place_.y + kTextHeight - 2, place_.y + place_.height - 1);
  }

  void draw_colours(cv::Mat& canvas) const {
    cv::Mat levels(place_.height, place_.width, CV_8U);
    for (int row = 0; row < place_.height; ++row) {
      const int level = 255 - 255 * row / std::max(1, place_.height - 1);
      levels.row(row).setTo(level);
    }
    cv::Mat coloured;
    cv::applyColorMap(levels, coloured, cv::COLORMAP_VIRIDIS);
    coloured.copyTo(canvas(place_));
    cv::rectangle(canvas, place_, kInk, 1);
  }

  /// Numbers beside the bar, without those that the threshold's would cover.
  void draw_ticks(cv::Mat& canvas, double threshold) const {
    const int right = place_.x + place_.width;
    for (int tick = 0; tick < kTicks; ++tick) {
      const double value = range_.low + (range_.high - range_.low) * tick / (kTicks - 1);
      const int row = row_of(value);
      if (std::isfinite(threshold) &&
          std::abs(text_row(row) - text_row(row_of(threshold))) < kTextHeight + 2) {
        continue;
      }
      cv::line(canvas, {right, row}, {right + 4, row}, kInk, 1);
      write_text(canvas, short_number(value), {right + 9, text_row(row)});
    }
  }

  cv::Rect place_;
  ScoreRange range_;
};

void place_panel(cv::Mat& canvas, const cv::Mat& panel, cv::Point corner, const std::string& title) {
  write_text(canvas, title, {corner.x, corner.y - 8});
  panel.copyTo(canvas(cv::Rect(corner, panel.size())));
}

cv::Mat composed(const cv::Mat& view, const cv::Mat& score, const ScoreRange& range, double threshold,
                 const std::string& view_title) {
  const bool stacked = view.cols > view.rows;
  const int panel_width = std::max(view.cols, kSmallestPanel);
  const int panel_height = std::max(view.rows, 6 * kTextHeight);
  const int step_x = stacked ? 0 : panel_width + 2 * kMargin;
  const int step_y = stacked ? panel_height + kMargin + kTitleHeight : 0;
  const cv::Point first(kMargin, kMargin + kTitleHeight);
  const cv::Point second(first.x + step_x, first.y + step_y);
  const int right = second.x + std::max(score.cols + kMargin + kBarWidth + kBarLabels, kSmallestPanel);
  cv::Mat canvas(second.y + panel_height + kMargin, right, CV_8UC3, kPaper);
  place_panel(canvas, view, first, view_title);
  place_panel(canvas, score, second, "anomaly score");
  ColourBar({second.x + score.cols + kMargin, second.y, kBarWidth, panel_height}, range)
      .draw(canvas, threshold);
  return canvas;
}

void check_shapes(const OverlayMaps& maps) {
  const auto& [view, score, defects, region] = maps;
  TORCH_CHECK(score.dim() == 2 && score.numel() > 0 && defects.sizes() == score.sizes() &&
                  (!region.defined() || region.sizes() == score.sizes()),
              "write_overlay: expected score, defects and region (rows, cols), got ", score.sizes(), " and ",
              defects.sizes());
  TORCH_CHECK((view.dim() == 2 && view.sizes() == score.sizes()) ||
                  (view.dim() == 3 && (view.size(0) == 1 || view.size(0) == 3) &&
                   view.size(1) == score.size(0) && view.size(2) == score.size(1)),
              "write_overlay: expected a view (1 or 3, rows, cols) of the size of the score, got ",
              view.sizes());
}

Panels full_size(const OverlayMaps& maps) {
  const auto planes = maps.view.dim() == 2 ? maps.view.unsqueeze(0) : maps.view;
  const auto flags = maps.defects.to(torch::kCPU);
  const auto scores = maps.score.to(torch::kCPU, torch::kFloat32);
  const auto region = maps.region.defined() ? maps.region.to(torch::kCPU, torch::kBool)
                                            : torch::ones(scores.sizes(), torch::kBool);
  return {planes.to(torch::kCPU, torch::kFloat32),       scores, flags == 1,
          (flags != 255).logical_and(scores.isfinite()), region, 1};
}

}  // namespace

std::vector<std::int64_t> display_bands(const spectral::Bands& bands) {
  if (auto visible = visible_bands(bands); !visible.empty()) {
    return visible;
  }
  std::vector<std::int64_t> good;
  for (std::int64_t b = 0; b < bands.count; ++b) {
    if (bands.is_good(b)) {
      good.push_back(b);
    }
  }
  if (good.size() < 3) {
    return {good.empty() ? 0 : good[0]};
  }
  return {good[good.size() * 5 / 6], good[good.size() / 2], good[good.size() / 6]};
}

torch::Tensor quicklook(const torch::Tensor& bands, const torch::Tensor& valid,
                        const torch::Tensor& outside) {
  TORCH_CHECK(bands.dim() == 3 && (bands.size(0) == 1 || bands.size(0) == 3) &&
                  valid.sizes() == bands.sizes().slice(1),
              "quicklook: expected bands (1 or 3, rows, cols) and valid (rows, cols), got ", bands.sizes(),
              " and ", valid.sizes());
  auto picture = torch::zeros(bands.sizes(), torch::kFloat32);
  const auto valid_pixels = valid.to(torch::kCPU, torch::kBool);
  const auto hidden = (outside.defined() ? valid_pixels.logical_or(outside) : valid_pixels).logical_not();
  for (std::int64_t i = 0; i < bands.size(0); ++i) {
    const auto band = bands[i].to(torch::kCPU, torch::kFloat32);
    const auto sample = finite_sample(band.masked_select(valid_pixels));
    if (sample.numel() == 0) {
      continue;
    }
    const double low = rank_value(sample, 0.02);
    const double width = std::max(rank_value(sample, 0.98) - low, 1e-12);
    picture[i] = ((band - low) / width).nan_to_num(0).clamp(0, 1).masked_fill(hidden, 0);
  }
  return picture;
}

void write_overlay(const std::filesystem::path& path, const OverlayMaps& maps, double threshold) {
  check_shapes(maps);
  const auto full = full_size(maps);
  const auto range = shown_range(full.score.masked_select(full.valid), threshold);
  const auto panels = fitted(full);
  const auto defect = mask_image(panels.defect);
  const auto valid = mask_image(panels.valid);
  const auto region = mask_image(panels.region);
  auto view_panel = colour_image(panels.view);
  auto score_panel = score_image(panels.score, range);
  hatch(view_panel, valid | ~region);
  hatch(score_panel, valid);
  outline_region(view_panel, region);
  outline(view_panel, defect, panels.enlargement);
  const auto title = text::pluralise(label_regions(full.defect).count, "defect") + ", " +
                     text::pluralise(full.defect.sum().item<std::int64_t>(), "pixel");
  write_png(path, composed(view_panel, score_panel, range, threshold, title));
}

}  // namespace hyperdefect::io
