// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/image/dual_window.h"

namespace hyperdefect::spectral {

/// Local RX (Reed and Yu, 1990; Matteoli et al., "A tutorial overview of anomaly detection in hyperspectral
/// images", 2010): the Mahalanobis distance (rows, cols) float32 of each pixel of components (n, rows, cols)
/// to the mean and covariance of the background around it. The components are expected to have zero mean and
/// unit variance over the training data: the covariance is (1 - shrinkage) that of the background + shrinkage
/// times the identity, 0 < shrinkage <= 1. Pixels that are not valid (rows, cols) are in no background; their
/// own distance means nothing. If no background pixel is valid, the training data's is taken.
/// Sums cost O(n^2) operations a pixel whatever the windows, the solution O(n^3).
torch::Tensor local_rx(const torch::Tensor& components, const torch::Tensor& valid,
                       const image::DualWindow& window, double shrinkage);

}  // namespace hyperdefect::spectral
