// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/collaborative.h"

#include <torch/utils.h>

#include <algorithm>
#include <limits>

namespace hyperdefect::spectral {
namespace {

/// Numbers of background pixels that are held at a time.
constexpr std::int64_t kChunk = 4'000'000;
/// A pixel that equals the judged one would have an infinite weight: this much, relative to its length, keeps
/// the system's rounding errors below the one on its diagonal.
constexpr double kLargestWeight = 1e10;

/// D (background, pixels) for y (n, pixels) and X (n, background, pixels), whose last rows say which are of
/// use.
torch::Tensor weights_of(const torch::Tensor& y, const torch::Tensor& x, double lambda) {
  const auto penalties = lambda * (x - y.unsqueeze(1)).square().sum(0);
  const auto least = x.square().sum(0) / kLargestWeight;
  return x.select(0, -1) / torch::maximum(penalties, least).clamp_min(std::numeric_limits<double>::min());
}

/// The residual (pixels) of y (n, pixels), with the ones of the sum in its last row, from X (n, background,
/// pixels) and the weights D (background, pixels).
torch::Tensor residual(const torch::Tensor& y, const torch::Tensor& x, const torch::Tensor& weights) {
  const auto roots = x * weights.sqrt();
  const auto columns = roots.permute({2, 0, 1}).contiguous();
  auto system = columns.matmul(columns.transpose(1, 2));
  system.diagonal(0, -2, -1).add_(1);
  const auto solved = torch::cholesky_solve(y.t().unsqueeze(-1), torch::linalg_cholesky(system)).squeeze(-1);
  return solved.slice(1, 0, y.size(0) - 1).norm(2, 1);
}

}  // namespace

torch::Tensor collaborative_residual(const torch::Tensor& components, const torch::Tensor& valid,
                                     const image::DualWindow& window, double lambda) {
  TORCH_CHECK(components.dim() == 3 && valid.sizes() == components.sizes().slice(1),
              "collaborative_residual: expected components (n, rows, cols) and a mask (rows, cols), got ",
              components.sizes(), " and ", valid.sizes());
  TORCH_CHECK(lambda > 0, "collaborative_residual: expected lambda > 0, got ", lambda);
  const torch::NoGradGuard no_gradient;
  const auto values = torch::where(valid, components.to(torch::kDouble), 0.0);
  // The last row leads the coefficients to a sum of one; it is zero where a pixel is of no use.
  const auto extended = torch::cat({values, valid.to(torch::kDouble).unsqueeze(0)});
  auto result = torch::empty(valid.sizes(), components.options().dtype(torch::kFloat));
  const auto per_row = extended.size(0) * window.pixels() * values.size(2);
  const auto step = std::max<std::int64_t>(1, kChunk / std::max<std::int64_t>(1, per_row));
  for (std::int64_t row = 0; row < values.size(1); row += step) {
    const auto rows = std::min(step, values.size(1) - row);
    const auto y = extended.narrow(1, row, rows).flatten(1);
    const auto x = image::background_pixels(extended, window, row, rows);
    result.narrow(0, row, rows).copy_(residual(y, x, weights_of(y, x, lambda)).view({rows, values.size(2)}));
  }
  return result;
}

}  // namespace hyperdefect::spectral
