// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace hyperdefect::image {

/// A generator with a sequence of its own, which a draw of the given one decides.
inline at::Generator split(at::Generator& generator) {
  const auto seed = torch::randint(std::numeric_limits<std::int64_t>::max(), {}, generator, torch::kLong);
  return at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed.item<std::int64_t>()));
}

/// Draws of the usual distributions from a generator of the CPU, which must outlive it.
class RandomSource {
 public:
  explicit RandomSource(at::Generator& generator) : generator_(generator) {}

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

}  // namespace hyperdefect::image
