// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/init.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cmath>

#include "hyperdefect/nn/channel_norm.h"

namespace hyperdefect::nn {
namespace {

using GeneratorChoice = std::optional<at::Generator>;

void draw_normal(torch::Tensor& weight, double variance, const GeneratorChoice& generator) {
  const auto values =
      torch::empty(weight.sizes(), torch::kFloat).normal_(0.0, std::sqrt(variance), generator);
  weight.copy_(values);
}

void fill(torch::Tensor& tensor, double value) {
  if (tensor.defined()) {
    tensor.fill_(value);
  }
}

/// The inputs that meet in one output value of a (transposed) convolution.
template <class Conv>
double fan_in(const Conv& conv) {
  const auto taps = static_cast<double>(conv.weight[0].numel());
  if (!conv.options.transposed()) {
    return taps;
  }
  double meeting = static_cast<double>(conv.weight.size(0)) * taps / static_cast<double>(conv.weight.size(1));
  for (const auto stride : *conv.options.stride()) {
    meeting /= static_cast<double>(stride);
  }
  return meeting;
}

template <class Conv>
bool reset_conv(torch::nn::Module& module, const GeneratorChoice& generator) {
  auto* conv = module.as<Conv>();
  if (conv == nullptr) {
    return false;
  }
  constexpr double kSquaredGain = 2.0 / (1.0 + kLeakySlope * kLeakySlope);
  draw_normal(conv->weight, kSquaredGain / fan_in(*conv), generator);
  fill(conv->bias, 0.0);
  return true;
}

bool reset_linear(torch::nn::Module& module, const GeneratorChoice& generator) {
  auto* linear = module.as<torch::nn::LinearImpl>();
  if (linear == nullptr) {
    return false;
  }
  draw_normal(linear->weight, 1.0 / static_cast<double>(linear->options.in_features()), generator);
  fill(linear->bias, 0.0);
  return true;
}

template <class NormImpl>
bool reset_norm(torch::nn::Module& module) {
  auto* norm = module.as<NormImpl>();
  if (norm == nullptr) {
    return false;
  }
  fill(norm->weight, 1.0);
  fill(norm->bias, 0.0);
  return true;
}

}  // namespace

void initialise(torch::nn::Module& module, const std::optional<at::Generator>& generator) {
  const torch::NoGradGuard no_grad;
  for (const auto& child : module.modules()) {
    reset_conv<torch::nn::Conv2dImpl>(*child, generator) ||
        reset_conv<torch::nn::Conv3dImpl>(*child, generator) ||
        reset_conv<torch::nn::ConvTranspose2dImpl>(*child, generator) || reset_linear(*child, generator) ||
        reset_norm<ChannelNormImpl>(*child) || reset_norm<torch::nn::BatchNorm2dImpl>(*child);
  }
}

}  // namespace hyperdefect::nn
