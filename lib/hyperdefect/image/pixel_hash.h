// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "hyperdefect/core/window.h"

namespace hyperdefect::image {

/// For each pixel of the window a number in [0, count) that depends on its place in the image and the seed
/// only, (rows, cols) int64.
torch::Tensor pixel_hash(const Window& window, std::int64_t count, std::uint64_t seed);

}  // namespace hyperdefect::image
