// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/attention_block.h"

#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {

AttentionBlockOptions::AttentionBlockOptions(int64_t channels, int64_t heads)
    : channels_(channels), heads_(heads) {}

AttentionBlockImpl::AttentionBlockImpl(const AttentionBlockOptions& options_) : options(options_) {
  reset();
}

void AttentionBlockImpl::reset() {
  check_positive({options.mlp_ratio()}, "AttentionBlock", "mlp_ratio");
  const auto channels = options.channels();
  const auto hidden = channels * options.mlp_ratio();
  attention_norm = register_module("attention_norm", ChannelNorm(channels));
  attention = register_module(
      "attention", MultiHeadSelfAttention(
                       MultiHeadSelfAttentionOptions(channels, options.heads()).window(options.window())));
  mlp_norm = register_module("mlp_norm", ChannelNorm(channels));
  widen = register_module("widen", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, hidden, 1)));
  narrow = register_module("narrow", torch::nn::Conv2d(torch::nn::Conv2dOptions(hidden, channels, 1)));
}

void AttentionBlockImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::AttentionBlock(" << options.channels() << ", heads=" << options.heads()
         << ", mlp_ratio=" << options.mlp_ratio() << ")";
}

torch::Tensor AttentionBlockImpl::forward(const torch::Tensor& x, int64_t row0, int64_t col0) {
  check_features(x, options.channels(), "AttentionBlock");
  const auto mixed = x + attention(attention_norm(x), row0, col0);
  return mixed + narrow(torch::gelu(widen(mlp_norm(mixed))));
}

}  // namespace hyperdefect::nn
