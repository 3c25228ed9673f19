// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/spectral/types.h"

namespace hyperdefect::spectral {

/// Where each band of a model comes from in a cube: band m is
/// (1 - upper_weight[m]) * cube[lower[m]] + upper_weight[m] * cube[upper[m]].
struct BandMatch {
  /// How many bands the cube has.
  std::int64_t cube_bands = 0;
  /// Indices into the cube's bands, one per model band; lower equals upper if a band was found as it is.
  std::vector<std::int64_t> lower;
  std::vector<std::int64_t> upper;
  /// In [0, 1).
  std::vector<double> upper_weight;

  /// Whether every band was found as it is.
  bool exact() const { return lower == upper; }
};

/// Finds each band of the model in the cube: the nearest one within the tolerance or, if `interpolate` is
/// set, its two neighbours in wavelength. Bands of one wavelength are told apart by their order: the second
/// of the model is the second of the cube. If one of the two states no wavelengths, bands are taken in
/// order and their counts must be equal. Whether the cube marks a band as bad is not looked at.
/// @throws ModelError naming the bands that have no partner, or both counts.
BandMatch match_bands(const Bands& cube, const Bands& model, double tolerance_nm, bool interpolate);

/// The model's bands (model bands, rows, cols) of a cube's values (cube bands, rows, cols) float.
torch::Tensor apply(const BandMatch& match, const torch::Tensor& values);

/// Which bands of a cube are wanted.
struct BandSelection {
  /// Leave out the bands that the cube marks as bad.
  bool use_bad_band_list = true;
  /// Leave out bands below and above these wavelengths; 0 sets no limit.
  double min_wavelength_nm = 0.0;
  double max_wavelength_nm = 0.0;
  /// Ranges to leave out, both ends included, as pairs: first, last, first, last …
  std::vector<double> drop_ranges_nm;
  /// Bands to leave out, counted from 0.
  std::vector<std::int64_t> drop_bands;
};

/// The indices of the wanted bands, ascending.
/// @throws ConfigError for ranges that are not pairs of a first and a larger last wavelength; InputError
/// if the cube lacks wavelengths that the selection asks for, or a dropped band, or if no band is left.
std::vector<std::int64_t> usable_bands(const Bands& bands, const BandSelection& selection);

/// The bands with these indices, in this order.
Bands select(const Bands& bands, const std::vector<std::int64_t>& indices);

}  // namespace hyperdefect::spectral
