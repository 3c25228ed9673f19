// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace hyperdefect::io {

/// The connected regions of a mask.
struct Regions {
  /// (rows, cols) int32: 0 is background, regions count from 1 in the order of their first pixels.
  torch::Tensor labels;
  std::int64_t count = 0;
  /// Pixels of each region; areas[i] is that of label i + 1.
  std::vector<std::int64_t> areas;
};

/// Labels the regions of a (rows, cols) bool mask; pixels that touch by a corner belong together.
Regions label_regions(const torch::Tensor& mask);

/// The (rows, cols) bool mask without the pixels that are closer than `border_px` (rows and columns, the
/// larger of the two) to a pixel that is not in it. What lies beyond the image counts as in it.
torch::Tensor eroded(const torch::Tensor& mask, std::int64_t border_px);

/// The (rows, cols) bool mask with its holes of at most `most_px` pixels: regions of other pixels that do not
/// touch the border of the image.
torch::Tensor with_small_holes_filled(const torch::Tensor& mask, std::int64_t most_px);

/// The (rows, cols) bool mask without the regions of less than min_pixels.
torch::Tensor without_small_regions(const torch::Tensor& mask, std::int64_t min_pixels);

}  // namespace hyperdefect::io
