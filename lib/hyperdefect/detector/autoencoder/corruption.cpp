// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/autoencoder/corruption.h"

#include <algorithm>
#include <cmath>

#include "hyperdefect/image/crop.h"
#include "hyperdefect/image/random_source.h"

namespace hyperdefect::detector {
namespace {

/// A spot's side lengths are log-uniform; half of the larger ones are ellipses, the others rectangles.
torch::Tensor random_spot(std::int64_t max_px, image::RandomSource& random) {
  const auto side = [&] {
    return std::clamp<std::int64_t>(
        static_cast<std::int64_t>(random.log_uniform(1.0, static_cast<double>(max_px) + 0.99)), 1, max_px);
  };
  const auto rows = side();
  const auto cols = side();
  if (rows < 3 || cols < 3 || random.below(2) == 0) {
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
  image::RandomSource random(generator);
  const double length =
      random.log_uniform(static_cast<double>(features) / 60.0, static_cast<double>(features) / 2.0);
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

torch::Tensor random_mask(Size patch, std::int64_t size_px, double fraction, at::Generator& generator) {
  image::RandomSource random(generator);
  const CellGrid grid{size_px, random.below(size_px), random.below(size_px)};
  const auto cells = cells_of(whole(patch), grid);
  const auto is_hidden =
      torch::rand({patch.rows / size_px + 2, patch.cols / size_px + 2}, generator, torch::kFloat)
          .lt(fraction);
  return is_hidden.index_select(0, cells.row).index_select(1, cells.col);
}

Defects random_defects(std::int64_t features, Size patch, const DefectOptions& options,
                       at::Generator& generator) {
  Defects defects{torch::zeros({features, patch.rows, patch.cols}),
                  torch::zeros({patch.rows, patch.cols}, torch::kBool)};
  image::RandomSource random(generator);
  const auto wanted =
      static_cast<std::int64_t>(std::ceil(options.fraction * static_cast<double>(patch.pixels())));
  const auto max_px = std::min({options.max_px, patch.rows, patch.cols});
  for (std::int64_t covered = 0; covered < wanted;) {
    const auto spot = random_spot(max_px, random);
    const auto row = random.below(patch.rows - spot.size(0) + 1);
    const auto col = random.below(patch.cols - spot.size(1) + 1);
    const Window place{row, col, spot.size(0), spot.size(1)};
    const double amplitude = random.log_uniform(options.min_amplitude, options.max_amplitude);
    const auto change = smooth_spectrum(features, generator).view({-1, 1, 1}) * amplitude;
    auto changed = image::crop(defects.change, place);
    changed.copy_(torch::where(spot.unsqueeze(0), change, changed));
    image::crop(defects.mask, place).logical_or_(spot);
    covered += spot.sum().item<std::int64_t>();
  }
  return defects;
}

}  // namespace hyperdefect::detector
