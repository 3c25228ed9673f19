// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/container/any.h>
#include <torch/nn/modules/conv.h>

#include <cstdint>

#include "hyperdefect/nn/choices.h"

namespace hyperdefect::nn {

/// Options of ConvBlock. Example: `ConvBlock block(ConvBlockOptions(48, 96).stride(2).norm(Norm::none));`
struct ConvBlockOptions {
  ConvBlockOptions(int64_t in_channels, int64_t out_channels);
  TORCH_ARG(int64_t, in_channels);
  TORCH_ARG(int64_t, out_channels);
  /// Rows and columns of the kernel; odd.
  TORCH_ARG(int64_t, kernel) = 3;
  TORCH_ARG(int64_t, stride) = 1;
  /// What lies beyond the border; an axis too short to be reflected is replicated.
  TORCH_ARG(Padding, padding) = Padding::reflect;
  TORCH_ARG(Norm, norm) = Norm::layer;
  /// Whether a LeakyReLU ends the block.
  TORCH_ARG(bool, activation) = true;
};

/// A convolution, then a norm, then a LeakyReLU; the convolution has a bias only if no norm follows it.
///
/// Shape: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)), for every H, W
/// >= 1.
///
///     ConvBlock block(ConvBlockOptions(48, 96).stride(2).norm(Norm::none));
///     const auto x = torch::randn({1, 48, 33, 20});
///     const auto y = block(x);  // (1, 96, 17, 10)
class ConvBlockImpl : public torch::nn::Cloneable<ConvBlockImpl> {
 public:
  explicit ConvBlockImpl(const ConvBlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  ConvBlockOptions options;
  torch::nn::Conv2d conv{nullptr};
  /// A ChannelNorm, a BatchNorm2d, or empty.
  torch::nn::AnyModule norm;
};

TORCH_MODULE(ConvBlock);

}  // namespace hyperdefect::nn
