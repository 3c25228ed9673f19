// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <vector>

namespace hyperdefect::metric {

/// The values below which the parts q, from 0 to 1, of values of any shape lie, in double: linear
/// interpolation between the order statistics at ranks q (n - 1), which is definition 7 of Hyndman and Fan,
/// "Sample quantiles in statistical packages", 1996. Values that are not finite are left out.
///
///     const auto [low, high] = std::pair(quantile_of(scores, 0.01), quantile_of(scores, 0.99));
///
/// @throws InputError if no value is left.
std::vector<double> quantiles_of(const torch::Tensor& values, const std::vector<double>& parts);
/// One of them; each call sorts the values.
double quantile_of(const torch::Tensor& values, double part);

/// The value that a further one exceeds with a probability of at most `rate`.
struct ConformalQuantile {
  double value;
  /// Whether the values are enough for this rate. If not, `value` is the highest, for which the rate is
  /// 1 / (n + 1).
  bool is_supported;
};
/// The order statistic at rank ceil((n + 1)(1 - rate)) of values of any shape: the promise holds for each n
/// if the further value is exchangeable with these (Papadopoulos et al., "Inductive confidence machines for
/// regression", 2002). Values that are not finite are left out.
/// @param rate in [0, 1] @throws InputError if no value is left.
ConformalQuantile conformal_quantile(const torch::Tensor& values, double rate);

/// (...): the order statistic of values (..., n) at the rank nearest to part (n - 1), which is a value that
/// occurs. It takes linear time, and n is at least 1.
torch::Tensor nearest_rank(const torch::Tensor& values, double part);

}  // namespace hyperdefect::metric
