// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/core/window.h"

namespace hyperdefect::detector {

/// A grid of square cells laid over the image; its lines go through pixel (-row_offset, -col_offset).
struct CellGrid {
  std::int64_t size_px = 1;
  std::int64_t row_offset = 0;
  std::int64_t col_offset = 0;
};

/// The cell row and cell column of each pixel of a window, (rows) and (cols) int64.
struct Cells {
  torch::Tensor row;
  torch::Tensor col;
};
Cells cells_of(const Window& window, const CellGrid& grid);

/// A mask (rows, cols) bool of the window, true where the cell is one of the given quarter (0..3) of all
/// cells: cells with even or odd row and column. Each pixel is in exactly one quarter.
torch::Tensor quarter_mask(const Window& window, const CellGrid& grid, std::int64_t quarter);

/// A random mask of a training patch: each cell of a grid with random offset is hidden with the given
/// probability; (rows, cols) bool.
torch::Tensor random_mask(Size patch, std::int64_t size_px, double fraction, at::Generator& generator);

/// A smooth random change of the spectra on small random spots.
struct DefectOptions {
  double fraction = 0.05;
  std::int64_t max_px = 6;
  double min_amplitude = 0.01;
  double max_amplitude = 1.0;
};
struct Defects {
  /// (features, rows, cols): what is added to the transformed spectra.
  torch::Tensor change;
  /// (rows, cols) bool: where it is not zero.
  torch::Tensor mask;
};
/// Spots of up to max_px a side with amplitude log-uniform; over the spectrum a Gaussian process with squared
/// exponential covariance and length scales from 1/60 of the axis to half of it. @param features length of
/// the axis.
///
///     auto generator = at::detail::createCPUGenerator(7);
///     const Size patch{64, 64};
///     const auto hidden = random_mask(patch, 5, 0.3, generator);
///     const auto defects = random_defects(features.size(0), patch, {}, generator);
///     const auto corrupted = features + defects.change;
Defects random_defects(std::int64_t features, Size patch, const DefectOptions& options,
                       at::Generator& generator);

}  // namespace hyperdefect::detector
