// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/trimmed_covariance.h"

#include <torch/utils.h>

#include <cmath>

#include "hyperdefect/metric/quantile.h"
#include "hyperdefect/spectral/moments.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::spectral {
namespace {

/// Variances below this part of the largest are raised to it, so that a direction without any does not decide
/// alone which samples are near.
constexpr double kVarianceFloor = 1e-6;

struct Bulk {
  torch::Tensor mean;
  torch::Tensor covariance;
};

Bulk bulk_of(const torch::Tensor& samples) {
  Moments moments(samples.size(1));
  moments.add(samples);
  return {moments.mean(), moments.covariance()};
}

bool varies(const torch::Tensor& covariance) {
  return covariance.diagonal().max().item<double>() > 0;
}

/// (n): squared Mahalanobis distances of samples (n, bands).
torch::Tensor squared_distances(const torch::Tensor& samples, const Bulk& bulk) {
  const auto axes = symmetric_eigen(bulk.covariance);
  const auto variances = axes.values.clamp_min(kVarianceFloor * axes.values[-1].item<double>());
  return (samples - bulk.mean).matmul(axes.vectors).square().div(variances).sum(1);
}

/// The median of chi-squared (Wilson and Hilferty, "The distribution of chi-square", 1931).
double chi_squared_median(std::int64_t freedom) {
  const auto k = static_cast<double>(freedom);
  return k * std::pow(1 - 2 / (9 * k), 3);
}

}  // namespace

torch::Tensor trimmed_covariance(const torch::Tensor& samples, const TrimOptions& options) {
  TORCH_CHECK(samples.dim() == 2, "trimmed_covariance: expected samples (n, bands), got ", samples.sizes());
  const torch::NoGradGuard no_gradient;
  const auto all = samples.to(torch::kDouble);
  auto bulk = bulk_of(all);
  for (std::int64_t round = 0; round < options.rounds && varies(bulk.covariance); ++round) {
    const auto distances = squared_distances(all, bulk);
    const auto kept = all.index({distances.le(metric::nearest_rank(distances, options.kept))});
    const auto next = kept.size(0) < 2 ? bulk : bulk_of(kept);
    if (!varies(next.covariance)) {
      return bulk.covariance;
    }
    bulk = next;
  }
  if (!varies(bulk.covariance)) {
    return bulk.covariance;
  }
  const double scale = metric::nearest_rank(squared_distances(all, bulk), 0.5).item<double>() /
                       chi_squared_median(all.size(1));
  return scale > 0 ? bulk.covariance * scale : bulk.covariance;
}

}  // namespace hyperdefect::spectral
