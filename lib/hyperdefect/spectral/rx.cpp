// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/rx.h"

#include <torch/utils.h>

#include <algorithm>

#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::spectral {
namespace {

/// Pixels that are held in double at a time.
constexpr std::int64_t kChunk = 4096;

/// The ridge that these eigenvalues (ascending) need; 0 where they need none.
double needed_ridge(const torch::Tensor& eigenvalues) {
  const auto rounding = relative_rank(eigenvalues.size(0)) * eigenvalues[-1].clamp_min(0);
  const auto seen = eigenvalues.masked_select(eigenvalues > rounding);
  if (seen.size(0) == eigenvalues.size(0)) {
    return 0.0;
  }
  return seen.size(0) > 0 ? seen[0].item<double>() : 1.0;
}

}  // namespace

RxModel fit_rx(const Moments& moments) {
  const auto eigen = symmetric_eigen(moments.covariance());
  const double ridge = needed_ridge(eigen.values);
  const auto variances = ridge > 0 ? eigen.values.clamp_min(ridge) : eigen.values;
  return {moments.mean(), (eigen.vectors / variances).matmul(eigen.vectors.t()), ridge};
}

torch::Tensor rx(const torch::Tensor& values, const RxModel& model) {
  TORCH_CHECK(values.dim() == 3 && values.size(0) == model.mean.size(0), "rx: expected (", model.mean.size(0),
              ", rows, cols), got ", values.sizes());
  const torch::NoGradGuard no_gradient;
  const auto pixels = values.flatten(1);
  const auto mean = model.mean.to(values.device(), torch::kDouble).unsqueeze(1);
  const auto precision = model.precision.to(values.device(), torch::kDouble);
  auto distances = torch::empty({pixels.size(1)}, values.options().dtype(torch::kFloat));
  for (std::int64_t begin = 0; begin < pixels.size(1); begin += kChunk) {
    const auto end = std::min(begin + kChunk, pixels.size(1));
    const auto centred = pixels.slice(1, begin, end).to(torch::kDouble) - mean;
    distances.slice(0, begin, end).copy_(precision.matmul(centred).mul_(centred).sum(0).clamp_min_(0));
  }
  return distances.view({values.size(1), values.size(2)});
}

}  // namespace hyperdefect::spectral
