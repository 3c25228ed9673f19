// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/spectral/moments.h"

namespace hyperdefect::spectral {

/// The background of the global RX detector: a normal distribution.
struct RxModel {
  /// (bands) double.
  torch::Tensor mean;
  /// (bands, bands) double: the inverse of the background's covariance.
  torch::Tensor precision;
  /// 0 if the covariance had full rank; otherwise the variance that was given to the directions in which
  /// the background does not vary. It is that of the quietest direction in which it does (1 if it varies
  /// in none): on the background itself the distance is then the pseudo-inverse's, and a spectrum that leaves
  /// the background's space is far away instead of unseen.
  double ridge = 0.0;
};

/// Fits the background: mean and sample covariance over all bands.
/// @throws InputError if fewer than two spectra were added.
RxModel fit_rx(const Moments& moments);

/// RX: the squared Mahalanobis distance to the background, (rows, cols) float32, of values (bands, rows,
/// cols) (Reed and Yu, "Adaptive multiple-band CFAR detection of an optical pattern with unknown spectral
/// distribution", 1990). Computed in double. A pixel with NaN gives NaN.
torch::Tensor rx(const torch::Tensor& values, const RxModel& model);

}  // namespace hyperdefect::spectral
