// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <filesystem>

namespace hyperdefect::io {

/// Reads the truth of an image, (rows, cols) bool: true where the mask (PNG, TIFF ...) is not zero in any of
/// its bands. Opacity is no truth, and the file's no-data value marks no defect.
/// @throws InputError for a file that is missing, no image or incomplete.
torch::Tensor read_mask(const std::filesystem::path& path);

}  // namespace hyperdefect::io
