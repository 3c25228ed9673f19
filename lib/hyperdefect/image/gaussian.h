// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::image {

/// How far gaussian_smoothed() looks, in pixels: the halo that tiles need.
std::int64_t gaussian_radius(double sigma_px);

/// A map (rows, cols) smoothed by a Gaussian that is cut off at gaussian_radius(), float32. Each result is
/// the mean over the valid pixels in reach, with the Gaussian's weights (normalised convolution; Knutsson and
/// Westin, 1993): neither a border nor an invalid pixel darkens its neighbours. Pixels that are not `valid`
/// (rows, cols) bool, or NaN, become NaN. Sigma 0 smooths nothing.
torch::Tensor gaussian_smoothed(const torch::Tensor& map, const torch::Tensor& valid, double sigma_px);

}  // namespace hyperdefect::image
