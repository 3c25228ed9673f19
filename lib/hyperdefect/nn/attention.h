// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/common.h>
#include <torch/nn/modules/container/any.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <optional>

namespace hyperdefect::nn {

/// What attention gives: the mixed values, and how much each query took of each key.
struct Attended {
  torch::Tensor output;
  torch::Tensor weights;
};

/// softmax(Q K^T * scale) V, written out (Vaswani et al., "Attention is all you need", 2017, equation 1).
///
/// Shape: q (..., L, d), k (..., S, d), v (..., S, e) -> output (..., L, e), weights (..., L, S), whose rows
/// sum to 1. scale is 1 / sqrt(d) if none is given. mask, bool and broadcastable to (..., L, S), is true
/// where a query may look; a query that may look nowhere gets zeros.
///
///     const auto [output, weights] = scaled_dot_product(pixels, pixels, pixels, 1.0);
Attended scaled_dot_product(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                            std::optional<double> scale = std::nullopt, const torch::Tensor& mask = {});

/// Options of MultiHeadSelfAttention. Example: `MultiHeadSelfAttention(MultiHeadSelfAttentionOptions(48,
/// 4).window(8))`
struct MultiHeadSelfAttentionOptions {
  MultiHeadSelfAttentionOptions(int64_t channels, int64_t heads);
  TORCH_ARG(int64_t, channels);
  /// Divides channels; each head has channels / heads of them. One head is plain self-attention.
  TORCH_ARG(int64_t, heads);
  /// The side of the square windows in which tokens look at one another; 0: all tokens of the map.
  TORCH_ARG(int64_t, window) = 8;
  /// Refuses to let more tokens than this look at one another.
  TORCH_ARG(int64_t, max_tokens) = 4096;
};

/// Self-attention between the H * W tokens of a feature map: queries, keys and values by one linear layer, d
/// = channels / heads per head, heads concatenated, one linear layer (Vaswani et al., 2017, section 3.2.2).
///
/// Shape: (N, channels, H, W) -> (N, channels, H, W). Windows are anchored at image coordinates: (row0, col0)
/// are the token coordinates of x's first token in the image, so a map cut at window borders gives the same
/// result as the whole; tokens that would fill a window beyond the map are masked out.
///
/// Cost: with T tokens in a window (window^2, or H * W), 2 * T * channels multiply-adds per token beside the
/// linear layers. Memory: forward() uses torch's fused kernel, 4 * channels values a token;
/// forward_with_weights() holds heads * T values a token more.
///
///     MultiHeadSelfAttention attention(MultiHeadSelfAttentionOptions(48, 4).window(8));
///     const auto x = torch::randn({1, 48, 30, 20});
///     const auto y = attention(x);  // (1, 48, 30, 20)
///     const auto [output, weights] = attention->forward_with_weights(x);
class MultiHeadSelfAttentionImpl : public torch::nn::Cloneable<MultiHeadSelfAttentionImpl> {
 public:
  explicit MultiHeadSelfAttentionImpl(const MultiHeadSelfAttentionOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x, int64_t row0 = 0, int64_t col0 = 0);
  /// The same by the written-out form, with weights (N, windows, heads, T, T); windows and the tokens in them
  /// are counted row by row.
  Attended forward_with_weights(const torch::Tensor& x, int64_t row0 = 0, int64_t col0 = 0);

  MultiHeadSelfAttentionOptions options;
  /// channels -> 3 * channels: queries, then keys, then values.
  torch::nn::Linear query_key_value{nullptr};
  torch::nn::Linear output{nullptr};

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(int64_t{0})}, {2, torch::nn::AnyValue(int64_t{0})})
};

TORCH_MODULE(MultiHeadSelfAttention);

}  // namespace hyperdefect::nn
