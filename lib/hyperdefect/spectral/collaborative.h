// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/image/dual_window.h"

namespace hyperdefect::spectral {

/// Collaborative representation (Li and Du, "Collaborative representation for hyperspectral anomaly
/// detection", 2015): how far, (rows, cols) float32, each pixel y of components (n, rows, cols) is from its
/// best representation X a by the pixels X of its background, where a minimises |y - X a|^2 + lambda |G a|^2,
/// G is diagonal with the distances |y - x_i| (equation 5), and the coefficients are led to a sum of one
/// (equation 7). Pixels that are not valid (rows, cols) represent nothing; their own result means nothing.
///
/// With D = (lambda G'G)^-1 the residual y - X a is (1 + X D X')^-1 y: one system of n + 1 unknowns a pixel,
/// whatever the windows.
torch::Tensor collaborative_residual(const torch::Tensor& components, const torch::Tensor& valid,
                                     const image::DualWindow& window, double lambda);

}  // namespace hyperdefect::spectral
