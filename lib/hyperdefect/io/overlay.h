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
/// @param bands (1 or 3, rows, cols); @param valid (rows, cols) bool; @param outside (rows, cols) bool, or
/// not defined: pixels that are shown too. @return float32 of the shape of `bands`; other pixels are 0.
torch::Tensor quicklook(const torch::Tensor& bands, const torch::Tensor& valid,
                        const torch::Tensor& outside = {});

/// What an overlay shows.
struct OverlayMaps {
  /// (3, rows, cols) or (1, rows, cols) or (rows, cols) in [0, 1].
  torch::Tensor view;
  /// (rows, cols), NaN where invalid.
  torch::Tensor score;
  /// (rows, cols) uint8: 0 normal, 1 defect, 255 invalid.
  torch::Tensor defects;
  /// (rows, cols) bool: the product's region; not defined if it is the whole image.
  torch::Tensor region;
};

/// Writes a picture for a person: the cube with its defects outlined beside (or above) the map of scores, and
/// the scores' colour scale with numbers and the threshold. Invalid pixels are hatched. The region has a
/// dashed outline in black and white, and the view goes on outside of it. Small images are enlarged by a
/// whole factor to at least 400 pixels, large ones reduced to at most 2048 so that no defect vanishes.
/// @throws Error if the disk refuses.
void write_overlay(const std::filesystem::path& path, const OverlayMaps& maps, double threshold);

}  // namespace hyperdefect::io
