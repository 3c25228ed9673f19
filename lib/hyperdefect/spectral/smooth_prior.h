// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <vector>

namespace hyperdefect::spectral {

/// Covariance (n, n), in double, of random changes of a spectrum that are smooth over wavelength: the mean,
/// over the length scales l, of exp(-(x_i - x_j)^2 / (2 l^2)), of variance 1 (squared exponential kernels;
/// Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, eq. 4.9). Positions x (n) and
/// lengths are in nanometres.
torch::Tensor smooth_covariance(const torch::Tensor& positions_nm, const std::vector<double>& lengths_nm);

}  // namespace hyperdefect::spectral
