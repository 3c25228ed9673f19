// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::spectral {

struct TrimOptions {
  /// The part of the samples that a round keeps.
  double kept = 0.8;
  std::int64_t rounds = 5;
};

/// Covariance (bands, bands), in double, of the bulk of samples (n, bands): in each round the samples nearest
/// to the mean, by their Mahalanobis distance in the round before, are kept. At the end it is scaled so that
/// half of all samples lie nearer than half of a normal distribution's would (after Rousseeuw and Van
/// Driessen, "A fast algorithm for the minimum covariance determinant estimator", 1999). If the samples
/// that would be kept do not vary, the last covariance that does is taken.
/// @throws InputError if there are fewer than two samples.
torch::Tensor trimmed_covariance(const torch::Tensor& samples, const TrimOptions& options = {});

}  // namespace hyperdefect::spectral
