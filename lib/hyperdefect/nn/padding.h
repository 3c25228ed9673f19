// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "hyperdefect/core/window.h"
#include "hyperdefect/nn/choices.h"

namespace hyperdefect::nn {

/// How many rows and columns are added to each side of an image.
struct Margins {
  std::int64_t top = 0;
  std::int64_t bottom = 0;
  std::int64_t left = 0;
  std::int64_t right = 0;
};

/// Adds margins to a feature map.
///
/// Shape: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right). An axis that is too short to be
/// reflected (no longer than its margin) is replicated instead. Type and memory format are kept, under
/// autocast too.
///
///     const auto x = torch::randn({1, 8, 30, 41});
///     const auto padded = pad_margins(x, {.bottom = 2, .right = 7}, Padding::reflect);  // (1, 8, 32, 48)
///     const auto same = cropped(padded, {30, 41});
torch::Tensor pad_margins(const torch::Tensor& x, const Margins& margins, Padding mode);

/// The first rows and columns of a feature map (N, C, H, W) -> (N, C, size.rows, size.cols); the map itself
/// if it has no more.
torch::Tensor cropped(const torch::Tensor& x, Size size);

}  // namespace hyperdefect::nn
