// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/gaussian.h"

#include <cmath>
#include <limits>

namespace hyperdefect::spectral {
namespace {

torch::Tensor gaussian_kernel(double sigma_px, const torch::TensorOptions& options) {
  const auto radius = static_cast<double>(gaussian_radius(sigma_px));
  const auto offsets = torch::arange(-radius, radius + 1, torch::kDouble);
  const auto weights = (offsets.square() / (-2 * sigma_px * sigma_px)).exp();
  return (weights / weights.sum()).to(options);
}

/// (n, 1, rows, cols), zero beyond the border, along rows and then columns.
torch::Tensor convolved(const torch::Tensor& images, const torch::Tensor& kernel) {
  const auto radius = kernel.size(0) / 2;
  const auto down = torch::conv2d(images, kernel.view({1, 1, -1, 1}), {}, 1, at::IntArrayRef{radius, 0});
  return torch::conv2d(down, kernel.view({1, 1, 1, -1}), {}, 1, at::IntArrayRef{0, radius});
}

}  // namespace

std::int64_t gaussian_radius(double sigma_px) {
  return static_cast<std::int64_t>(std::ceil(4 * sigma_px));
}

torch::Tensor gaussian_smoothed(const torch::Tensor& map, const torch::Tensor& valid, double sigma_px) {
  TORCH_CHECK(map.dim() == 2 && valid.sizes() == map.sizes(),
              "gaussian_smoothed: expected a map and a mask (rows, cols), got ", map.sizes(), " and ",
              valid.sizes());
  TORCH_CHECK(sigma_px >= 0, "gaussian_smoothed: expected sigma >= 0, got ", sigma_px);
  const torch::NoGradGuard no_gradient;
  const auto usable = valid.logical_and(map.isnan().logical_not());
  const auto values = map.to(torch::kFloat);
  auto result = values;
  if (sigma_px > 0 && map.numel() > 0) {
    const auto weights = usable.to(torch::kFloat);
    const auto pair = torch::stack({torch::where(usable, values, 0.0F), weights}).unsqueeze(1);
    const auto sums = convolved(pair, gaussian_kernel(sigma_px, values.options())).squeeze(1);
    result = sums[0] / sums[1];
  }
  return torch::where(usable, result, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace hyperdefect::spectral
