// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <cstdint>

namespace hyperdefect::spectral {

/// Draws of the usual distributions from a generator of the CPU, which must outlive it.
class Dice {
 public:
  explicit Dice(at::Generator& generator) : generator_(generator) {}

  double uniform(double low, double high) {
    return low + (high - low) * torch::rand({}, generator_, torch::kDouble).item<double>();
  }
  /// The logarithm is uniform; both bounds are positive.
  double log_uniform(double low, double high) { return std::exp(uniform(std::log(low), std::log(high))); }
  double gaussian() { return torch::randn({}, generator_, torch::kDouble).item<double>(); }
  /// One of 0 ... end - 1.
  std::int64_t below(std::int64_t end) {
    return torch::randint(end, {}, generator_, torch::kLong).item<std::int64_t>();
  }
  /// (count) int64 of 0 ... end - 1.
  torch::Tensor below(std::int64_t end, std::int64_t count) {
    return torch::randint(end, {count}, generator_, torch::kLong);
  }
  /// Standard normal, float32.
  torch::Tensor normal(torch::IntArrayRef shape) { return torch::randn(shape, generator_, torch::kFloat); }

 private:
  at::Generator& generator_;
};

}  // namespace hyperdefect::spectral
