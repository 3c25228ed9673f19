// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/quantile.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "hyperdefect/core/error.h"

namespace hyperdefect::metric {
namespace {

/// (n) double, ascending.
torch::Tensor sorted_values(const torch::Tensor& values) {
  const auto all = values.flatten().to(torch::kCPU, torch::kDouble);
  auto sorted = std::get<0>(all.index({all.isfinite()}).sort());
  if (sorted.numel() == 0) {
    throw InputError("no valid score: every pixel is invalid");
  }
  return sorted;
}

}  // namespace

std::vector<double> quantiles_of(const torch::Tensor& values, const std::vector<double>& parts) {
  const auto sorted = sorted_values(values);
  const double* ranked = sorted.const_data_ptr<double>();
  std::vector<double> found;
  for (const double part : parts) {
    const double rank = part * static_cast<double>(sorted.numel() - 1);
    const auto below = static_cast<std::int64_t>(std::floor(rank));
    const auto above = std::min<std::int64_t>(below + 1, sorted.numel() - 1);
    found.push_back(ranked[below] + (rank - static_cast<double>(below)) * (ranked[above] - ranked[below]));
  }
  return found;
}

double quantile_of(const torch::Tensor& values, double part) {
  return quantiles_of(values, {part}).front();
}

ConformalQuantile conformal_quantile(const torch::Tensor& values, double rate) {
  // (n + 1)(1 - rate) that is whole but for rounding is that number.
  constexpr double kRounding = 1e-9;
  const auto sorted = sorted_values(values);
  const double position = static_cast<double>(sorted.numel() + 1) * (1 - rate);
  const auto rank = std::max<std::int64_t>(1, std::llround(std::ceil(position - kRounding)));
  const bool is_supported = rank <= sorted.numel();
  const auto index = std::min(rank, sorted.numel()) - 1;
  return {sorted.const_data_ptr<double>()[index], is_supported};
}

torch::Tensor nearest_rank(const torch::Tensor& values, double part) {
  TORCH_CHECK(values.dim() > 0 && values.size(-1) > 0 && part >= 0 && part <= 1,
              "nearest_rank: expected values (..., n) and a part from 0 to 1, got ", values.sizes(), " and ",
              part);
  const auto rank = std::llround(part * static_cast<double>(values.size(-1) - 1));
  return std::get<0>(values.kthvalue(rank + 1, -1));
}

}  // namespace hyperdefect::metric
