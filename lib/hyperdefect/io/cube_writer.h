// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "hyperdefect/format/cube_info.h"

namespace hyperdefect::io {

struct EnviWriteOptions {
  format::Interleave interleave = format::Interleave::bip;
  /// uint8, int16, uint16, int32, uint32, float32 or float64; values are rounded and clamped to whole-number
  /// types.
  std::string data_type = "float32";
  std::string description = "written by hyperdefect";
  format::Georeference georeference;
  std::optional<double> no_data;
};

/// Writes a cube as ENVI data file and header (path.hdr for a path without extension, otherwise .hdr instead
/// of the extension), with wavelengths and fwhm in nanometres and the list of bad bands. Both appear whole or
/// not at all.
/// @param values (bands, rows, cols), any real type, any device.
/// @throws UsageError for a path that ends in .hdr or an unknown data type, Error if the disk refuses.
void write_envi(const std::filesystem::path& path, const torch::Tensor& values, const spectral::Bands& bands,
                const EnviWriteOptions& options = {});

}  // namespace hyperdefect::io
