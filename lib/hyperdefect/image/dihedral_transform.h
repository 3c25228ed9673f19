// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::image {

/// One of the eight flips and turns of an image (..., rows, cols): the bits of `which` flip the columns, flip
/// the rows, and exchange rows and columns. The exchange is left out if the image is not square, so that
/// the shape stays.
torch::Tensor dihedral_transform(torch::Tensor image, std::int64_t which);

}  // namespace hyperdefect::image
