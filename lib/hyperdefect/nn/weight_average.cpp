// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/weight_average.h"

#include <torch/utils.h>

#include <algorithm>

namespace hyperdefect::nn {
namespace {

/// Step n replaces at least this many parts in this many plus n of the average.
constexpr double kEarlySteps = 10.0;

void follow(const torch::Tensor& average, const torch::Tensor& current, double part) {
  if (average.is_floating_point()) {
    average.lerp_(current, part);
  } else {
    average.copy_(current);
  }
}

}  // namespace

WeightAverageImpl::WeightAverageImpl(double decay) : torch::nn::Module("WeightAverage"), decay_(decay) {
  steps_ = register_buffer("steps", torch::zeros({1}, torch::kLong));
}

void WeightAverageImpl::update(torch::nn::Module& average, const torch::nn::Module& current) {
  const torch::NoGradGuard no_gradient;
  const auto steps = static_cast<double>(steps_.item<std::int64_t>());
  const double part = 1 - std::min(decay_, steps / (kEarlySteps + steps));
  const auto parameters = current.parameters();
  const auto buffers = current.buffers();
  std::size_t i = 0;
  for (const auto& parameter : average.parameters()) {
    follow(parameter, parameters[i++], part);
  }
  i = 0;
  for (const auto& buffer : average.buffers()) {
    follow(buffer, buffers[i++], part);
  }
  steps_.add_(1);
}

}  // namespace hyperdefect::nn
