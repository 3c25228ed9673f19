// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/window_plan.h"

#include <numeric>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect {
namespace {

std::int64_t round_down(std::int64_t value, std::int64_t step) {
  return value / step * step;
}
std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

/// What has to be read along one axis so that [first, first + length) can be kept.
struct Reach {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t length() const { return end - begin; }
};

Reach reach(std::int64_t first, std::int64_t length, std::int64_t limit, const ReceptiveField& field) {
  return {round_down(std::max<std::int64_t>(0, first - field.halo), field.alignment),
          std::min(limit, round_up(first + length + field.halo, field.alignment))};
}

/// The longest read that windows of this length can need anywhere along an axis.
std::int64_t longest_read(std::int64_t length, std::int64_t limit, const ReceptiveField& field) {
  return std::min(limit, length + 2 * round_up(field.halo, field.alignment));
}

/// The largest multiple of step, at most limit, whose windows need no more than `budget` pixels along this
/// axis.
std::int64_t fitting_length(std::int64_t limit, std::int64_t step, std::int64_t budget,
                            const ReceptiveField& field) {
  if (longest_read(limit, limit, field) <= budget) {
    return limit;
  }
  const auto free = budget - 2 * round_up(field.halo, field.alignment);
  return std::max(step, round_down(free, step));
}

/// The windows of a plan: what one keeps, and the most that one reads.
struct Cut {
  Size write;
  Size read;
};

/// The largest windows in multiples of step within max_pixels, or the smallest there are where none fits.
/// Whole rows come first: rows are what most cubes are stored by.
Cut cut_by(Size step, Size image, const ReceptiveField& field, std::int64_t max_pixels) {
  Cut cut{image, image};
  const auto thinnest = longest_read(std::min(step.rows, image.rows), image.rows, field);
  if (thinnest * image.cols > max_pixels) {
    cut.write.cols = fitting_length(image.cols, step.cols, max_pixels / thinnest, field);
    cut.read.cols = longest_read(cut.write.cols, image.cols, field);
  }
  cut.write.rows =
      fitting_length(image.rows, step.rows, max_pixels / std::max<std::int64_t>(1, cut.read.cols), field);
  cut.read.rows = longest_read(cut.write.rows, image.rows, field);
  return cut;
}

Cut best_cut(Size image, const ReceptiveField& field, const PlanLimits& limits) {
  const auto max_pixels = limits.max_bytes / std::max<std::int64_t>(1, limits.bytes_per_pixel);
  const Size tiles{std::lcm(field.alignment, limits.tile.rows), std::lcm(field.alignment, limits.tile.cols)};
  auto cut = cut_by(tiles, image, field, max_pixels);
  if (cut.read.pixels() > max_pixels) {
    cut = cut_by({field.alignment, field.alignment}, image, field, max_pixels);
  }
  if (cut.read.pixels() > max_pixels) {
    throw Error(text::concat("not enough memory for one window: ", cut.read.cols, " columns by ",
                             cut.read.rows, " rows at ", limits.bytes_per_pixel, " bytes per pixel, ",
                             limits.max_bytes >> 20, " MB allowed; raise run.ram_mb"));
  }
  return cut;
}

}  // namespace

std::vector<Tile> plan_windows(Size image, const ReceptiveField& field, const PlanLimits& limits) {
  const auto keep = best_cut(image, field, limits).write;
  std::vector<Tile> plan;
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
