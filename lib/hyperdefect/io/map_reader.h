// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <filesystem>

namespace hyperdefect::io {

/// Reads a map of one band, (rows, cols) float32; no-data becomes NaN.
/// @throws InputError for a file that is missing, no image, incomplete, or has more than one band.
torch::Tensor read_map(const std::filesystem::path& path);

}  // namespace hyperdefect::io
