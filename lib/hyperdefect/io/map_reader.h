// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <optional>

#include "hyperdefect/io/expected_size.h"

namespace hyperdefect::io {

/// Reads a map of one band, (rows, cols) float32; no-data becomes NaN.
/// @param expected is compared before any pixel is read.
/// @throws InputError for a file that is missing, no image, incomplete, of another size, or has more than one
/// band.
torch::Tensor read_map(const std::filesystem::path& path,
                       const std::optional<ExpectedSize>& expected = std::nullopt);

}  // namespace hyperdefect::io
