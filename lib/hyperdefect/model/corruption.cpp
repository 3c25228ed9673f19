// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/corruption.h"

#include <algorithm>
#include <cmath>

namespace hyperdefect::model {
namespace {

std::int64_t draw_below(std::int64_t limit, at::Generator& generator) {
  return torch::randint(limit, {1}, generator, torch::kLong).item<std::int64_t>();
}

double draw_uniform(double lowest, double highest, at::Generator& generator) {
  return torch::rand({1}, generator, torch::kDouble).item<double>() * (highest - lowest) + lowest;
}

double draw_log_uniform(double lowest, double highest, at::Generator& generator) {
  return std::exp(draw_uniform(std::log(lowest), std::log(highest), generator));
}

/// The xor-shift-multiply steps of murmur3's finaliser on a tensor; int64 wraps as the mathematics want it.
torch::Tensor mixed(torch::Tensor bits) {
  const auto shifted_right = [](const torch::Tensor& value, std::int64_t by) {
    return value.bitwise_right_shift(by).bitwise_and((std::int64_t{1} << (64 - by)) - 1);
  };
  bits = bits.bitwise_xor(shifted_right(bits, 33)) * static_cast<std::int64_t>(0xff51afd7ed558ccdULL);
  bits = bits.bitwise_xor(shifted_right(bits, 33)) * static_cast<std::int64_t>(0xc4ceb9fe1a85ec53ULL);
  return bits.bitwise_xor(shifted_right(bits, 33));
}

/// A spot's side lengths are log-uniform; half of the larger ones are ellipses, the others rectangles.
torch::Tensor random_spot(std::int64_t max_px, at::Generator& generator) {
  const auto side = [&] {
    return std::clamp<std::int64_t>(
        static_cast<std::int64_t>(draw_log_uniform(1.0, static_cast<double>(max_px) + 0.99, generator)), 1,
        max_px);
  };
  const auto rows = side();
  const auto cols = side();
  if (rows < 3 || cols < 3 || draw_below(2, generator) == 0) {
    return torch::ones({rows, cols}, torch::kBool);
  }
  const auto axis = [](std::int64_t length) {
    const auto half = static_cast<double>(length) / 2;
    return (torch::arange(length, torch::kFloat) + 0.5 - half).div(half).square();
  };
  return (axis(rows).unsqueeze(1) + axis(cols).unsqueeze(0)).le(1.0);
}

/// One draw of a Gaussian process with unit variance: random Fourier features of the squared exponential
/// kernel.
torch::Tensor smooth_spectrum(std::int64_t features, at::Generator& generator) {
  constexpr std::int64_t kWaves = 32;
  const double length =
      draw_log_uniform(static_cast<double>(features) / 60.0, static_cast<double>(features) / 2.0, generator);
  const auto frequency = torch::randn({kWaves, 1}, generator, torch::kFloat) / length;
  const auto phase = torch::rand({kWaves, 1}, generator, torch::kFloat) * (2 * M_PI);
  const auto place = torch::arange(features, torch::kFloat).unsqueeze(0);
  return (frequency * place + phase).cos().sum(0) * std::sqrt(2.0 / kWaves);
}

}  // namespace

Cells cells_of(const Window& window, const CellGrid& grid) {
  const auto along = [&grid](std::int64_t first, std::int64_t count, std::int64_t offset) {
    return (torch::arange(count, torch::kLong) + (first + offset)).floor_divide(grid.size_px);
  };
  return {along(window.row, window.rows, grid.row_offset), along(window.col, window.cols, grid.col_offset)};
}

torch::Tensor quarter_mask(const Window& window, const CellGrid& grid, std::int64_t quarter) {
  const auto cells = cells_of(window, grid);
  const auto row = cells.row.remainder(2).eq(quarter / 2);
  const auto col = cells.col.remainder(2).eq(quarter % 2);
  return row.unsqueeze(1).logical_and(col.unsqueeze(0));
}

torch::Tensor pixel_choice(const Window& window, std::int64_t count, std::uint64_t seed) {
  const auto row = torch::arange(window.row, window.end_row(), torch::kLong).unsqueeze(1);
  const auto col = torch::arange(window.col, window.end_col(), torch::kLong).unsqueeze(0);
  const auto bits = mixed(row * (std::int64_t{1} << 32) + col).bitwise_xor(static_cast<std::int64_t>(seed));
  return mixed(bits).remainder(count);
}

torch::Tensor random_holes(Size patch, std::int64_t size_px, double fraction, at::Generator& generator) {
  const CellGrid grid{size_px, draw_below(size_px, generator), draw_below(size_px, generator)};
  const auto cells = cells_of(whole(patch), grid);
  const auto is_hole =
      torch::rand({patch.rows / size_px + 2, patch.cols / size_px + 2}, generator, torch::kFloat)
          .lt(fraction);
  return is_hole.index_select(0, cells.row).index_select(1, cells.col);
}

Defects random_defects(std::int64_t features, Size patch, const DefectOptions& options,
                       at::Generator& generator) {
  Defects defects{torch::zeros({features, patch.rows, patch.cols}),
                  torch::zeros({patch.rows, patch.cols}, torch::kBool)};
  const auto wanted =
      static_cast<std::int64_t>(std::ceil(options.fraction * static_cast<double>(patch.pixels())));
  const auto max_px = std::min({options.max_px, patch.rows, patch.cols});
  for (std::int64_t covered = 0; covered < wanted;) {
    const auto spot = random_spot(max_px, generator);
    const auto row = draw_below(patch.rows - spot.size(0) + 1, generator);
    const auto col = draw_below(patch.cols - spot.size(1) + 1, generator);
    const auto cut = [&](const torch::Tensor& tensor) {
      return tensor.narrow(-2, row, spot.size(0)).narrow(-1, col, spot.size(1));
    };
    const double amplitude = draw_log_uniform(options.min_amplitude, options.max_amplitude, generator);
    const auto change = smooth_spectrum(features, generator).view({-1, 1, 1}) * amplitude;
    auto changed = cut(defects.change);
    changed.copy_(torch::where(spot.unsqueeze(0), change, changed));
    cut(defects.mask).logical_or_(spot);
    covered += spot.sum().item<std::int64_t>();
  }
  return defects;
}

}  // namespace hyperdefect::model
