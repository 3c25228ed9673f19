// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::spectral {

/// A change of axes from the bands of a spectrum x to its components z = forward (x - mean), and back: mean +
/// inverse z. All tensors are double. There are fewer components than asked for if the spectra vary in
/// fewer directions, and none if they do not vary.
struct Whitening {
  /// (bands)
  torch::Tensor mean;
  /// (components, bands)
  torch::Tensor forward;
  /// (bands, components)
  torch::Tensor inverse;
  /// (components), descending: the variances along the components before they were scaled.
  torch::Tensor eigenvalues;
};

/// The `components` leading principal axes of a covariance (bands, bands), partially whitened: with w the
/// eigenvalues, component i is divided by sqrt(w_i) and multiplied by (w_i / w_1)^(power / 2); all are
/// divided by sqrt(mean_i (w_i / w_1)^power), so that a component's variance is 1 on average. Power 0 whitens
/// fully, power 1 only rotates and scales. Directions with less than 1e-12 of the largest variance are
/// dropped. The largest entry of each axis is positive, so that equal input gives equal signs.
Whitening partial_whitening(const torch::Tensor& mean, const torch::Tensor& covariance,
                            std::int64_t components, double power);

/// What the scores on principal axes of these variances (components), descending, are multiplied by in
/// partial whitening; 0 for axes without variance.
torch::Tensor whitening_gains(const torch::Tensor& variances, double power);

/// The `components` leading axes by signal-to-noise ratio, scaled to unit noise (MNF; Green et al., 1988):
/// the noise is whitened first, its variances floored at 1e-6 of the largest, then the covariance is rotated
/// to its principal axes. Eigenvalues are variances in units of the noise.
/// @throws InputError if the noise covariance is zero.
Whitening noise_whitening(const torch::Tensor& mean, const torch::Tensor& covariance,
                          const torch::Tensor& noise_covariance, std::int64_t components);

/// The eigenvalues (n) ascending and eigenvectors (n, n), in columns, of a symmetric matrix, in double, with
/// the largest entry of each eigenvector positive.
struct EigenDecomposition {
  torch::Tensor values;
  torch::Tensor vectors;
};
EigenDecomposition symmetric_eigen(const torch::Tensor& matrix);

/// The leading principal axes of a covariance (bands, bands): variances (components), descending, and axes
/// (bands, components), without directions of less than 1e-12 of the largest variance.
EigenDecomposition leading_axes(const torch::Tensor& covariance, std::int64_t components);

/// Eigenvalues of a (size, size) covariance that are smaller than this part of the largest are rounding
/// errors: size times the spacing of double precision, as in numpy.linalg.matrix_rank.
double relative_rank(std::int64_t size);

}  // namespace hyperdefect::spectral
