// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "hyperdefect/spectral/types.h"

namespace hyperdefect::io {

/// The bands of which a person sees a picture: those nearest to 640, 550 and 460 nm if the cube has such
/// bands, else three that divide its good bands evenly, longest first; one band if it has less than three
/// good ones.
std::vector<std::int64_t> display_bands(const spectral::Bands& bands);

/// Stretches bands to [0, 1] for display only, each from its 2nd to its 98th percentile over valid pixels.
/// @param bands (1 or 3, rows, cols); @param valid (rows, cols) bool. @return float32 of the shape of
/// `bands`; invalid pixels are 0.
torch::Tensor quicklook(const torch::Tensor& bands, const torch::Tensor& valid);

/// Writes a picture for a person: the cube with its defects outlined beside (or above) the map of scores, and
/// the scores' colour scale with numbers and the threshold. Invalid pixels are hatched. Small images are
/// enlarged by a whole factor to at least 400 pixels, large ones reduced to at most 2048 so that no defect
/// vanishes.
/// @param view (3, rows, cols) or (1, rows, cols) or (rows, cols) in [0, 1]; @param score (rows, cols), NaN
/// where invalid; @param defects (rows, cols) uint8: 0 normal, 1 defect, 255 invalid.
/// @throws Error if the disk refuses.
void write_overlay(const std::filesystem::path& path, const torch::Tensor& view, const torch::Tensor& score,
                   const torch::Tensor& defects, double threshold);

}  // namespace hyperdefect::io
