// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

namespace hyperdefect::spectral {

/// The spectral angle SAD of two spectra (bands) of any number type, in radians in [0, pi]:
/// 2 atan2(|u - v|, |u + v|) of the unit vectors u and v, in double, exact at 0 and at pi where the arc
/// cosine is not (Kahan, "How futile are mindless assessments of roundoff", 2006). NaN if a spectrum is
/// zero or holds NaN.
double spectral_angle(const torch::Tensor& x, const torch::Tensor& y);

/// The spectral angle of every pixel, (rows, cols) float32, in radians: of a cube (bands, rows, cols) of any
/// number type to one spectrum (bands), or to another cube of the same shape, pixel by pixel. NaN as in
/// spectral_angle(). It is computed in double, a strip at a time; no gradient flows through it.
torch::Tensor spectral_angle_map(const torch::Tensor& cube, const torch::Tensor& reference);

}  // namespace hyperdefect::spectral
