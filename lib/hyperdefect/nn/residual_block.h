// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/conv.h>

#include <cstdint>

#include "hyperdefect/nn/choices.h"
#include "hyperdefect/nn/conv_block.h"

namespace hyperdefect::nn {

/// Options of ResidualBlock. Example: `ResidualBlock block(ResidualBlockOptions(48, 96).stride(2));`
struct ResidualBlockOptions {
  ResidualBlockOptions(int64_t in_channels, int64_t out_channels);
  TORCH_ARG(int64_t, in_channels);
  TORCH_ARG(int64_t, out_channels);
  /// Rows and columns of both kernels; odd.
  TORCH_ARG(int64_t, kernel) = 3;
  /// The stride of the first convolution.
  TORCH_ARG(int64_t, stride) = 1;
  TORCH_ARG(Padding, padding) = Padding::reflect;
  TORCH_ARG(Norm, norm) = Norm::layer;
  /// Whether x is added; false gives plain F(x), to measure what the addition is worth.
  TORCH_ARG(bool, residual) = true;
};

/// y = F(x) + x with F two convolution blocks, the second without an activation (He et al., "Deep residual
/// learning", 2016, equation 1; equation 2, a 1x1 projection of x, if channels or stride change).
///
/// The gradient reaches x through the sum undamped, which is what makes deep stacks trainable.
/// Shape: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).
///
///     ResidualBlock block(ResidualBlockOptions(48, 96).stride(2));
///     const auto x = torch::randn({1, 48, 33, 20});
///     const auto y = block(x);  // (1, 96, 17, 10)
class ResidualBlockImpl : public torch::nn::Cloneable<ResidualBlockImpl> {
 public:
  explicit ResidualBlockImpl(const ResidualBlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x);

  ResidualBlockOptions options;
  ConvBlock first{nullptr};
  ConvBlock second{nullptr};
  /// Null if x can be added as it is.
  torch::nn::Conv2d projection{nullptr};
};

TORCH_MODULE(ResidualBlock);

}  // namespace hyperdefect::nn
