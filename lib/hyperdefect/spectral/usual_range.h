// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::spectral {

/// The values that the spectra of a scene may have in each band, (bands) float32 each. It is wide: a defect
/// may be ten times as bright as all around it and lies inside. What lies outside has no place in statistics:
/// one value of 1e38, -9999 or 65535 would decide them.
struct UsualRange {
  torch::Tensor lowest;
  torch::Tensor highest;
};

/// The range around most of the spectra (bands, n), n at least 1, of which a tenth may be anything. A band
/// that is NaN everywhere has a range that nothing lies outside of.
///
/// Values beyond 1e12 are never usual, however many there are: no instrument counts so far.
/// It reaches 20 widths above the 99 % quantile and 2 below the 1 % quantile. The width is the largest of:
/// the distance of the two; the size of the band's values; that of the median band, so that a dark band may
/// show a bright object. A band of both signs reaches 20 times its 1 % quantile down.
UsualRange usual_range(const torch::Tensor& spectra);

/// Only what no instrument counts lies outside, in each of `bands` bands.
UsualRange widest_range(std::int64_t bands);

/// Values (bands, ...) -> (...) bool: whether one of the bands lies outside; NaN does not.
torch::Tensor is_outside(const torch::Tensor& values, const UsualRange& range);

}  // namespace hyperdefect::spectral
