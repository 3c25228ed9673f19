// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/local_rx.h"

#include <torch/utils.h>

namespace hyperdefect::spectral {
namespace {

/// Mean (n, rows, cols) and covariance (rows, cols, n, n) of each pixel's background; zero and the identity
/// where no pixel of it is valid.
struct LocalMoments {
  torch::Tensor mean;
  torch::Tensor covariance;
};

LocalMoments local_moments(const torch::Tensor& components, const torch::Tensor& valid,
                           const image::DualWindow& window) {
  const auto n = components.size(0);
  const auto usable = valid.to(torch::kDouble).unsqueeze(0);
  const auto count = image::background_sums(usable, window);
  const auto divisor = count.clamp_min(1);
  const auto values = torch::where(valid, components.to(torch::kDouble), 0.0);
  const auto mean = image::background_sums(values, window) / divisor;
  auto covariance = torch::empty({values.size(1), values.size(2), n, n}, values.options());
  for (std::int64_t i = 0; i < n; ++i) {
    const auto products = image::background_sums(values[i] * values.slice(0, 0, i + 1), window) / divisor;
    const auto row = (products - mean[i] * mean.slice(0, 0, i + 1)).permute({1, 2, 0});
    covariance.select(2, i).slice(-1, 0, i + 1).copy_(row);
    covariance.select(3, i).slice(-1, 0, i + 1).copy_(row);
  }
  const auto identity = torch::eye(n, values.options());
  return {mean, torch::where((count > 0).permute({1, 2, 0}).unsqueeze(-1), covariance, identity)};
}

}  // namespace

torch::Tensor local_rx(const torch::Tensor& components, const torch::Tensor& valid,
                       const image::DualWindow& window, double shrinkage) {
  TORCH_CHECK(components.dim() == 3 && valid.sizes() == components.sizes().slice(1),
              "local_rx: expected components (n, rows, cols) and a mask (rows, cols), got ",
              components.sizes(), " and ", valid.sizes());
  TORCH_CHECK(shrinkage > 0 && shrinkage <= 1, "local_rx: expected a shrinkage in (0, 1], got ", shrinkage);
  const torch::NoGradGuard no_gradient;
  auto [mean, covariance] = local_moments(components, valid, window);
  covariance.mul_(1 - shrinkage).diagonal(0, -2, -1).add_(shrinkage);
  const auto centred = (components - mean).permute({1, 2, 0}).unsqueeze(-1);
  // With L L' the covariance, the distance is the length of L^-1 (x - mean).
  const auto factor = torch::linalg_cholesky(covariance);
  const auto whitened = torch::linalg_solve_triangular(factor, centred, false);
  return whitened.norm(2, {-2, -1}).to(torch::kFloat);
}

}  // namespace hyperdefect::spectral
