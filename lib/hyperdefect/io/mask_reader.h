// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <optional>

#include "hyperdefect/core/window.h"
#include "hyperdefect/io/expected_size.h"

namespace hyperdefect::io {

/// What the pixels that a mask marks are; warnings name it.
enum class MaskOf { defects, product };

/// What a mask says its size is; reads no pixels. @throws InputError for a file that is missing or no image.
Size mask_size(const std::filesystem::path& path);

/// Reads the truth of an image, (rows, cols) bool: true if the mask (PNG, TIFF ...) is neither zero nor NaN
/// in any of its bands. Of an image with a palette the numbers count, not the colours. Opacity is no truth.
/// The file's no-data value hides no defect: like any other value it marks one, and a warning says so; it
/// also warns of a palette whose colours say the opposite. Besides the mask, memory is bounded whatever the
/// file claims. @param expected is compared before any pixel is read.
/// @throws InputError for a file that is missing, no image, incomplete, of another size, or has more bands
/// than a mask.
torch::Tensor read_mask(const std::filesystem::path& path,
                        const std::optional<ExpectedSize>& expected = std::nullopt,
                        MaskOf marks = MaskOf::defects);

}  // namespace hyperdefect::io
