// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/spectral/normal_mixture.h"

namespace hyperdefect::spectral {

/// Normal spectra z of n values as a mixture of K normal distributions N(m, C), and what a defect makes of
/// them: z + a d with d from N(0, S) is N(m, C + a^2 S). In the axes y = to (z - m) both covariances are
/// diagonal, 1 and 1 + a^2 g, so that a ratio of their densities is a sum. All tensors are double.
struct DefectLikelihood {
  /// (K): the logarithm of a part's weight, less half of the logarithm of det C.
  torch::Tensor constants;
  /// (K, n): m.
  torch::Tensor means;
  /// (K, n, n)
  torch::Tensor forward;
  /// (K, n): g, the variance that a defect of amplitude 1 adds along an axis, in units of the normal
  /// variance.
  torch::Tensor gains;
};

/// @param normal of what is normal, with K parts over n values.
/// @param defect S (n, n), the covariance of the change that a defect of amplitude 1 makes.
DefectLikelihood defect_likelihood(const NormalMixture& normal, const torch::Tensor& defect);

/// (rows, cols), double: the logarithm of how much likelier values (n, rows, cols) are under "normal, and a
/// defect of amplitude .02, .05, .1, .3 or 1" than under "normal" (the amplitudes equally probable a priori).
torch::Tensor defect_ratio(const DefectLikelihood& model, const torch::Tensor& values);

/// (rows, cols), double: the same for the statement that a pixel shares its defect with its neighbours: the
/// logarithm of how much likelier it is given the other three of a square of 2 x 2 pixels under "all four
/// hold the same defect" than under "normal", for the best of the four squares that hold the pixel. Noise
/// does not agree between neighbours, a defect does. Which part of the mixture a pixel belongs to is weighted
/// by its probability. Only pixels that are valid (rows, cols) bool count; one without valid neighbours gets
/// 0.
torch::Tensor shared_defect_ratio(const DefectLikelihood& model, const torch::Tensor& values,
                                  const torch::Tensor& valid);

}  // namespace hyperdefect::spectral
