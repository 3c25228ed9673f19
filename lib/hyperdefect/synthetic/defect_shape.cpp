// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/defect_shape.h"

#include <cmath>
#include <numbers>

#include "hyperdefect/image/crop.h"

namespace hyperdefect::synthetic {
namespace {

constexpr double kPi = std::numbers::pi;
/// A pixel's coverage is counted on a lattice of this many points along each axis.
constexpr std::int64_t kSubpixels = 4;
constexpr int kPlacementTries = 20;

/// Whether the points (y, x), relative to the centre, lie within the shape.
torch::Tensor inside(const DefectShape& shape, const torch::Tensor& y, const torch::Tensor& x) {
  const double cosine = std::cos(shape.angle_rad);
  const double sine = std::sin(shape.angle_rad);
  const auto u = (x * cosine + y * sine) / shape.half_length;
  const auto v = (y * cosine - x * sine) / shape.half_width;
  if (shape.form == DefectShape::Form::rectangle || shape.form == DefectShape::Form::line) {
    return torch::maximum(u.abs(), v.abs()) <= 1;
  }
  const auto radius = 1 + shape.wobble * (shape.lobes * torch::atan2(v, u)).cos();
  return torch::hypot(u, v) <= radius;
}

Placement place_at(double row, double col, double reach, Size image) {
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

DefectShape draw_shape(double area_px, image::RandomSource& random) {
  const auto form = static_cast<DefectShape::Form>(random.below(4));
  const double angle = random.uniform(0, kPi);
  const double stretch = std::sqrt(random.uniform(1, 3));
  switch (form) {
    case DefectShape::Form::ellipse:
      break;
    case DefectShape::Form::rectangle: {
      const double half = std::sqrt(area_px) / 2;
      return {form, half * stretch, half / stretch, angle, 0, 0};
    }
    case DefectShape::Form::line: {
      const double width = random.uniform(1, 2);
      return {form, area_px / width / 2, width / 2, angle, 0, 0};
    }
    case DefectShape::Form::blob: {
      const double wobble = random.uniform(0.1, 0.4);
      const double radius = std::sqrt(area_px / kPi / (1 + wobble * wobble / 2));
      return {form, radius, radius, angle, wobble, static_cast<double>(2 + random.below(4))};
    }
  }
  const double radius = std::sqrt(area_px / kPi);
  return {form, radius * stretch, radius / stretch, angle, 0, 0};
}

Placement draw_placement(const torch::Tensor& taken, double reach, image::RandomSource& random) {
  const Size image{taken.size(0), taken.size(1)};
  Placement place{};
  for (int i = 0; i < kPlacementTries; ++i) {
    const double row = random.uniform(0, static_cast<double>(image.rows));
    const double col = random.uniform(0, static_cast<double>(image.cols));
    place = place_at(row, col, reach, image);
    if (!image::crop(taken, place.window).any().item<bool>()) {
      break;
    }
  }
  return place;
}

torch::Tensor coverage(const DefectShape& shape, const Placement& place) {
  const auto& window = place.window;
  const auto y = lattice(window.row, window.rows, place.row).unsqueeze(1);
  const auto x = lattice(window.col, window.cols, place.col).unsqueeze(0);
  const auto points = inside(shape, y, x).to(torch::kFloat);
  auto covered = points.view({window.rows, kSubpixels, window.cols, kSubpixels}).mean({1, 3});
  const auto row = static_cast<std::int64_t>(place.row) - window.row;
  const auto col = static_cast<std::int64_t>(place.col) - window.col;
  covered.index({row, col}).clamp_min_(0.5);
  return covered;
}

}  // namespace hyperdefect::synthetic
