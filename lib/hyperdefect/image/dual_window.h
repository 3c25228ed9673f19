// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::image {

/// Two square windows around a pixel: the background is the outer one less the inner one, which guards
/// against the defect itself (Kwon et al., "Adaptive anomaly detection using subspace separation for
/// hyperspectral imagery", 2003). Both sides are odd, the inner one is smaller.
struct DualWindow {
  std::int64_t inner_px = 1;
  std::int64_t outer_px = 3;

  std::int64_t reach_px() const { return outer_px / 2; }
  /// Pixels of the background.
  std::int64_t pixels() const { return outer_px * outer_px - inner_px * inner_px; }
  bool is_sound() const {
    return inner_px % 2 == 1 && outer_px % 2 == 1 && inner_px >= 1 && inner_px < outer_px;
  }
};

/// Sums of maps (n, rows, cols) over the background of each pixel, double; windows end at the border.
torch::Tensor background_sums(const torch::Tensor& maps, const DualWindow& window);

/// The background of each pixel of some rows, pixel by pixel: maps (n, rows, cols) -> (n, pixels, row_count *
/// cols) of rows [row, row + row_count); zero beyond the border.
torch::Tensor background_pixels(const torch::Tensor& maps, const DualWindow& window, std::int64_t row,
                                std::int64_t row_count);

}  // namespace hyperdefect::image
