// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

namespace hyperdefect::model {

/// (n) int64: the places of at most 65536 of the valid pixels (rows, cols), evenly spread.
torch::Tensor sampled_pixels(const torch::Tensor& valid);

/// (..., rows, cols) -> (..., n): the maps at these places.
torch::Tensor columns_at(const torch::Tensor& maps, const torch::Tensor& pixels);

}  // namespace hyperdefect::model
