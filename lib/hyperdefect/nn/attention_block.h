// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/common.h>
#include <torch/nn/modules/container/any.h>
#include <torch/nn/modules/conv.h>

#include <cstdint>

#include "hyperdefect/nn/attention.h"
#include "hyperdefect/nn/channel_norm.h"

namespace hyperdefect::nn {

/// Options of AttentionBlock. Example: `AttentionBlock block(AttentionBlockOptions(48,
/// 4).window(8).mlp_ratio(2));`
struct AttentionBlockOptions {
  AttentionBlockOptions(int64_t channels, int64_t heads);
  TORCH_ARG(int64_t, channels);
  TORCH_ARG(int64_t, heads);
  /// The side of the attention windows; 0: all tokens.
  TORCH_ARG(int64_t, window) = 8;
  /// The hidden channels of the perceptron, as a multiple of channels.
  TORCH_ARG(int64_t, mlp_ratio) = 2;
};

/// A transformer block with the norms in front: x + attention(norm(x)), then x + mlp(norm(x)), the perceptron
/// acting on each pixel alone, with GELU (Xiong et al., "On layer normalization in the transformer
/// architecture", 2020).
///
/// Shape: (N, channels, H, W) -> (N, channels, H, W); row0, col0 as in MultiHeadSelfAttention.
///
///     AttentionBlock block(AttentionBlockOptions(48, 4).window(8).mlp_ratio(2));
///     const auto x = torch::randn({1, 48, 30, 20});
///     const auto y = block(x);  // (1, 48, 30, 20)
class AttentionBlockImpl : public torch::nn::Cloneable<AttentionBlockImpl> {
 public:
  explicit AttentionBlockImpl(const AttentionBlockOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x, int64_t row0 = 0, int64_t col0 = 0);

  AttentionBlockOptions options;
  ChannelNorm attention_norm{nullptr};
  MultiHeadSelfAttention attention{nullptr};
  ChannelNorm mlp_norm{nullptr};
  torch::nn::Conv2d widen{nullptr};
  torch::nn::Conv2d narrow{nullptr};

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(int64_t{0})}, {2, torch::nn::AnyValue(int64_t{0})})
};

TORCH_MODULE(AttentionBlock);

}  // namespace hyperdefect::nn
