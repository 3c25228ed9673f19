// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace hyperdefect::spectral {

/// What an area filter takes out of maps (components, rows, cols), float32 (areas, components, rows, cols):
/// for each area a, (map - opening) + (closing - map). The area opening lowers each pixel to the highest
/// level at which its 4-connected component of pixels as bright or brighter has at least a pixels (Vincent,
/// "Grayscale area openings and closings", 1993); the closing does the same to dark components. A region of
/// usable pixels that is itself smaller than a becomes flat, at its lowest and its highest level.
///
/// Pixels that are not `valid` (rows, cols) bool, or NaN, take no part, join nothing, and get 0. A result
/// depends on nothing farther than a - 1 pixels away. It is exact, without quantisation: all areas come from
/// one component tree a map and direction, built by union-find from the sorted pixels (Berger et al.,
/// "Effective component tree computation with application to pattern recognition in astronomical imaging",
/// 2007).
torch::Tensor area_top_hats(const torch::Tensor& maps, const torch::Tensor& valid,
                            const std::vector<std::int64_t>& areas_px);

}  // namespace hyperdefect::spectral
