// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::image {

/// The median, channel by channel, of the valid pixels within `reach` rows and columns of each pixel: of
/// values (channels, rows, cols) of any floating type, valid (rows, cols) bool. Of an even number of values
/// the lower of the middle two. Beyond the image there is nothing; a pixel with no valid pixel in reach gets
/// 0. Computed on the CPU.
torch::Tensor window_median(const torch::Tensor& values, const torch::Tensor& valid, std::int64_t reach);

}  // namespace hyperdefect::image
