// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/outline.h"

#include <cmath>
#include <numbers>

#include "hyperdefect/spectral/image_part.h"

namespace hyperdefect::spectral {
namespace {

constexpr double kPi = std::numbers::pi;
/// A pixel's coverage is counted on a lattice of this many points along each axis.
constexpr std::int64_t kSubpixels = 4;
constexpr int kPlacementTries = 20;

/// Whether the points (y, x), relative to the centre, lie within the outline.
torch::Tensor inside(const Outline& outline, const torch::Tensor& y, const torch::Tensor& x) {
  const double cosine = std::cos(outline.angle_rad);
  const double sine = std::sin(outline.angle_rad);
  const auto u = (x * cosine + y * sine) / outline.half_length;
  const auto v = (y * cosine - x * sine) / outline.half_width;
  if (outline.shape == Outline::Shape::rectangle || outline.shape == Outline::Shape::line) {
    return torch::maximum(u.abs(), v.abs()) <= 1;
  }
  const auto radius = 1 + outline.wobble * (outline.lobes * torch::atan2(v, u)).cos();
  return torch::hypot(u, v) <= radius;
}

Place place_at(double row, double col, double reach, Size image) {
  const auto first_row = static_cast<std::int64_t>(std::floor(row - reach));
  const auto first_col = static_cast<std::int64_t>(std::floor(col - reach));
  const auto side = static_cast<std::int64_t>(std::ceil(2 * reach)) + 1;
  return {row, col, clipped({first_row, first_col, side, side}, image)};
}

torch::Tensor lattice(std::int64_t first, std::int64_t length, double centre) {
  const auto points = torch::arange(length * kSubpixels, torch::kFloat);
  return (points + 0.5) / kSubpixels + (static_cast<double>(first) - centre);
}

}  // namespace

Outline draw_outline(double area_px, Dice& dice) {
  const auto shape = static_cast<Outline::Shape>(dice.below(4));
  const double angle = dice.uniform(0, kPi);
  const double stretch = std::sqrt(dice.uniform(1, 3));
  switch (shape) {
    case Outline::Shape::ellipse:
      break;
    case Outline::Shape::rectangle: {
      const double half = std::sqrt(area_px) / 2;
      return {shape, half * stretch, half / stretch, angle, 0, 0};
    }
    case Outline::Shape::line: {
      const double width = dice.uniform(1, 2);
      return {shape, area_px / width / 2, width / 2, angle, 0, 0};
    }
    case Outline::Shape::blob: {
      const double wobble = dice.uniform(0.1, 0.4);
      const double radius = std::sqrt(area_px / kPi / (1 + wobble * wobble / 2));
      return {shape, radius, radius, angle, wobble, static_cast<double>(2 + dice.below(4))};
    }
  }
  const double radius = std::sqrt(area_px / kPi);
  return {shape, radius * stretch, radius / stretch, angle, 0, 0};
}

Place draw_place(const torch::Tensor& taken, double reach, Dice& dice) {
  const Size image{taken.size(0), taken.size(1)};
  Place place{};
  for (int i = 0; i < kPlacementTries; ++i) {
    const double row = dice.uniform(0, static_cast<double>(image.rows));
    const double col = dice.uniform(0, static_cast<double>(image.cols));
    place = place_at(row, col, reach, image);
    if (!part_of(taken, place.window).any().item<bool>()) {
      break;
    }
  }
  return place;
}

torch::Tensor coverage(const Outline& outline, const Place& place) {
  const auto& window = place.window;
  const auto y = lattice(window.row, window.rows, place.row).unsqueeze(1);
  const auto x = lattice(window.col, window.cols, place.col).unsqueeze(0);
  const auto points = inside(outline, y, x).to(torch::kFloat);
  auto covered = points.view({window.rows, kSubpixels, window.cols, kSubpixels}).mean({1, 3});
  const auto row = static_cast<std::int64_t>(place.row) - window.row;
  const auto col = static_cast<std::int64_t>(place.col) - window.col;
  covered.index({row, col}).clamp_min_(0.5);
  return covered;
}

}  // namespace hyperdefect::spectral
