// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>

namespace hyperdefect::io {

/// Writes the truth of an image as a grey PNG, 255 for a defect and 0 elsewhere, that appears whole or not at
/// all; read_mask() reads it back. The same mask gives the same bytes.
/// @param mask (rows, cols) bool, any device. @throws Error if the disk refuses.
void write_mask(const std::filesystem::path& path, const torch::Tensor& mask);

}  // namespace hyperdefect::io
