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

/// (...): the order statistic of values (..., n) at the rank nearest to part (n - 1), which is a value that
/// occurs. It takes linear time, and n is at least 1.
torch::Tensor nearest_rank(const torch::Tensor& values, double part);

}  // namespace hyperdefect::metric
