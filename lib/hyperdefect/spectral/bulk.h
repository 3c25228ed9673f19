// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <vector>

namespace hyperdefect::spectral {

/// What a cube looks like as a whole, in robust numbers that a defect in it hardly changes. All are natural
/// logarithms, so that a factor becomes a difference.
struct Bulk {
  /// (bands): of the median spectrum. A value below 0.001 of its highest counts as that.
  std::vector<double> log_spectrum;
  /// Of the typical difference between neighbouring pixels in the same band, as a fraction of their values,
  /// less what all bands have in common: noise of the camera, and focus.
  double noise = 0;
  /// Of the typical deviation of a pixel's brightness from the median, as a fraction.
  double brightness_spread = 0;
  /// Of the typical deviation of a pixel's spectrum from the median, less its brightness, as a fraction.
  double spectrum_spread = 0;
};

/// @param spectra (n, bands) @param neighbours (n, bands): of the pixel beside each
/// @throws InputError if n is 0.
///
///     const auto bulk = bulk_of(values.slice(1, 0, -1), values.slice(1, 1));
Bulk bulk_of(const torch::Tensor& spectra, const torch::Tensor& neighbours);

}  // namespace hyperdefect::spectral
