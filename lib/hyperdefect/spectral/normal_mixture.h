// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

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

/// What pixels may vary by more than the samples of a mixture do: along the directions of a covariance, by an
/// amount that nobody knows.
struct Texture {
  /// (n, n), of trace 1.
  torch::Tensor covariance;
  /// Standard deviations that it is multiplied by.
  std::vector<double> amplitudes;
  /// That a sample varies so, shared equally by the amplitudes; in [0, 1).
  double probability = 0.0;
};

/// The directions of the largest samples (m, n), which are differences from a background: the `directions`
/// leading axes of the mean square of the farthest tenth of them. Each sample counts by its direction alone,
/// so that the few largest do not decide; samples of zero do not count. Trace 1, or 0 if all samples are
/// zero.
torch::Tensor leading_directions(const torch::Tensor& samples, std::int64_t directions);

/// The mixture with each part repeated for each amplitude of the texture: (1 + amplitudes) K parts.
NormalMixture with_texture(const NormalMixture& mixture, const Texture& texture);

/// (K, m): for each part and sample (m, n) the logarithm of weight times density.
torch::Tensor log_densities(const NormalMixture& mixture, const torch::Tensor& samples);

}  // namespace hyperdefect::spectral
