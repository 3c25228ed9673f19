// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/gaussian.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hyperdefect::image {
namespace {

/// (n, rows, cols) convolved with the Gaussian along one axis, zero beyond the border. A sum of shifted
/// images: with so few taps and channels it is far faster than a general convolution.
torch::Tensor convolved(const torch::Tensor& images, double sigma_px, std::int64_t axis) {
  auto sum = images.clone();
  const auto reach = std::min(gaussian_radius(sigma_px), images.size(axis) - 1);
  for (std::int64_t offset = 1; offset <= reach; ++offset) {
    const auto distance = static_cast<double>(offset) / sigma_px;
    const double weight = std::exp(-distance * distance / 2);
    const auto length = images.size(axis) - offset;
    sum.narrow(axis, 0, length).add_(images.narrow(axis, offset, length), weight);
    sum.narrow(axis, offset, length).add_(images.narrow(axis, 0, length), weight);
  }
  return sum;
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
    const auto pair = torch::stack({torch::where(usable, values, 0.0F), usable.to(torch::kFloat)});
    const auto sums = convolved(convolved(pair, sigma_px, 1), sigma_px, 2);
    result = sums[0] / sums[1];
  }
  return torch::where(usable, result, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace hyperdefect::image
