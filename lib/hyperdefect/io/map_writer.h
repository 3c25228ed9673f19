// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "hyperdefect/format/georeference.h"

namespace hyperdefect::io {

/// Writes a map as a tiled, deflated GeoTIFF that appears whole or not at all; the same input gives the same
/// bytes.
/// @param map (rows, cols) float32 or uint8, any device.
/// @param tags become metadata items of the file.
/// @throws Error if the disk refuses, also when only closing the file shows it.
void write_map(const std::filesystem::path& path, const torch::Tensor& map,
               const format::Georeference& georeference, const std::map<std::string, std::string>& tags,
               std::optional<double> no_data);

}  // namespace hyperdefect::io
