// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/window_plan.h"

#include <numeric>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect {
namespace {

std::int64_t round_down(std::int64_t value, std::int64_t step) { return value / step * step; }
std::int64_t round_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

/// What has to be read along one axis so that [first, first + length) can be kept.
struct Reach {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t length() const { return end - begin; }
};

Reach reach(std::int64_t first, std::int64_t length, std::int64_t limit, const Field& field) {
  return {round_down(std::max<std::int64_t>(0, first - field.halo), field.grid),
          std::min(limit, round_up(first + length + field.halo, field.grid))};
}

/// The longest read that windows of this length can need anywhere along an axis.
std::int64_t longest_read(std::int64_t length, std::int64_t limit, const Field& field) {
  return std::min(limit, length + 2 * round_up(field.halo, field.grid));
}

/// The largest multiple of step, at most limit, whose windows need no more than `budget` pixels along this axis.
std::int64_t fitting_length(std::int64_t limit, std::int64_t step, std::int64_t budget, const Field& field) {
  if (longest_read(limit, limit, field) <= budget) {
    return limit;
  }
  const auto free = budget - 2 * round_up(field.halo, field.grid);
  return std::max(step, round_down(free, step));
}

}  // namespace

std::vector<PlannedWindow> plan_windows(Size image, const Field& field, const PlanLimits& limits) {
  const auto max_pixels = limits.max_bytes / std::max<std::int64_t>(1, limits.bytes_per_pixel);
  const Size step{std::lcm(field.grid, limits.tile.rows), std::lcm(field.grid, limits.tile.cols)};

  // Whole rows first: rows are what most cubes are stored by.
  Size keep{0, image.cols};
  const auto thinnest = longest_read(std::min(step.rows, image.rows), image.rows, field);
  if (thinnest * image.cols > max_pixels) {
    keep.cols = fitting_length(image.cols, step.cols, max_pixels / std::max<std::int64_t>(1, thinnest), field);
  }
  const auto read_cols = longest_read(std::min(keep.cols, image.cols), image.cols, field);
  keep.rows = fitting_length(image.rows, step.rows, max_pixels / std::max<std::int64_t>(1, read_cols), field);

  if (longest_read(std::min(keep.rows, image.rows), image.rows, field) * read_cols > max_pixels) {
    throw Error(text::cat("not enough memory for one window: ", read_cols, " columns by ",
                          longest_read(keep.rows, image.rows, field), " rows at ", limits.bytes_per_pixel,
                          " bytes a pixel, ", limits.max_bytes >> 20, " MB allowed; raise run.ram_mb (--ram)"));
  }

  std::vector<PlannedWindow> plan;
  for (std::int64_t row = 0; row < image.rows; row += keep.rows) {
    for (std::int64_t col = 0; col < image.cols; col += keep.cols) {
      const Window kept = clipped({row, col, keep.rows, keep.cols}, image);
      const auto rows = reach(kept.row, kept.rows, image.rows, field);
      const auto cols = reach(kept.col, kept.cols, image.cols, field);
      plan.push_back({{rows.begin, cols.begin, rows.length(), cols.length()}, kept});
    }
  }
  return plan;
}

}  // namespace hyperdefect
