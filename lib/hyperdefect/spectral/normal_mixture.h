// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::spectral {

/// A mixture of K normal distributions over n values, in double. A part of weight 0 plays no role.
struct NormalMixture {
  /// (K), adding up to 1.
  torch::Tensor weights;
  /// (K, n)
  torch::Tensor means;
  /// (K, n, n)
  torch::Tensor covariances;
};

struct MixtureOptions {
  std::int64_t parts = 2;
  /// Added to the diagonal of each covariance; more than 0.
  double ridge = 0.3;
  std::int64_t rounds = 60;
};

/// Fits a mixture to samples (m, n) by expectation and maximisation (Dempster, Laird and Rubin, 1977). It
/// begins with the samples in equal shares along their axis of largest variance, so that equal samples give
/// equal mixtures. @throws InputError if there are no samples.
NormalMixture fit_normal_mixture(const torch::Tensor& samples, const MixtureOptions& options);

/// (K, m): for each part and sample (m, n) the logarithm of weight times density.
torch::Tensor log_densities(const NormalMixture& mixture, const torch::Tensor& samples);

}  // namespace hyperdefect::spectral
