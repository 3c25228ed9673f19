// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/core/window.h"

namespace hyperdefect::image {

/// The pixels of a window of an image (..., rows, cols): a view. The window lies within the image.
inline torch::Tensor crop(const torch::Tensor& image, const Window& window) {
  return image.narrow(-2, window.row, window.rows).narrow(-1, window.col, window.cols);
}

}  // namespace hyperdefect::image
