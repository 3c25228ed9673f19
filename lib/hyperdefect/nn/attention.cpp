// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/attention.h"

#include <ATen/autocast_mode.h>

#include <cmath>
#include <limits>

#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {
namespace {

constexpr const char* kName = "MultiHeadSelfAttention";

int64_t round_up(int64_t value, int64_t step) {
  return (value + step - 1) / step * step;
}

/// How windows lie along one axis of a map.
struct Axis {
  /// Tokens of the map.
  int64_t length;
  /// Tokens of a window.
  int64_t window;
  /// Tokens missing before and behind the map to fill its windows.
  int64_t before;
  int64_t behind;
  int64_t windows() const { return (before + length + behind) / window; }
};

Axis lay_windows(int64_t length, int64_t window, int64_t origin) {
  TORCH_CHECK(origin >= 0, kName, ": expected an origin in the image, got ", origin);
  const auto before = window == 0 ? 0 : origin % window;
  // A map within one window needs no filling up: the tokens that it lacks would be masked out.
  if (window == 0 || before + length <= window) {
    return {length, length, 0, 0};
  }
  return {length, window, before, round_up(before + length, window) - before - length};
}

/// The windows of a map (N, H, W, ...), and the way there and back.
struct Windows {
  Axis rows;
  Axis cols;

  bool filled() const { return rows.before + rows.behind + cols.before + cols.behind == 0; }
  int64_t count() const { return rows.windows() * cols.windows(); }
  int64_t tokens() const { return rows.window * cols.window; }

  torch::Tensor fill(const torch::Tensor& map) const {
    return filled()
               ? map
               : torch::constant_pad_nd(map, {0, 0, cols.before, cols.behind, rows.before, rows.behind}, 0);
  }

  /// (N, H, W, P * heads * d) -> P tensors (N * windows, heads, tokens, d).
  std::vector<torch::Tensor> split(const torch::Tensor& map, int64_t parts, int64_t heads) const {
    return fill(map)
        .view({-1, rows.windows(), rows.window, cols.windows(), cols.window, parts, heads,
               map.size(3) / (parts * heads)})
        .permute({5, 0, 1, 3, 6, 2, 4, 7})
        .reshape({parts, -1, heads, tokens(), map.size(3) / (parts * heads)})
        .unbind(0);
  }

  /// (N * windows, heads, tokens, d) -> (N, H, W, heads * d).
  torch::Tensor join(const torch::Tensor& split) const {
    const auto heads = split.size(1);
    return split.view({-1, rows.windows(), cols.windows(), heads, rows.window, cols.window, split.size(3)})
        .permute({0, 1, 4, 2, 5, 3, 6})
        .reshape({-1, rows.windows() * rows.window, cols.windows() * cols.window, heads * split.size(3)})
        .narrow(1, rows.before, rows.length)
        .narrow(2, cols.before, cols.length);
  }

  /// (N * windows, 1, 1, tokens) bool: which tokens lie in the map; undefined where all do.
  torch::Tensor mask(int64_t images, torch::Device device) const {
    if (filled()) {
      return {};
    }
    const auto inside =
        torch::ones({1, rows.length, cols.length, 1}, torch::TensorOptions(torch::kBool).device(device));
    return split(inside, 1, 1)
        .front()
        .view({1, count(), 1, 1, tokens()})
        .expand({images, -1, -1, -1, -1})
        .flatten(0, 1);
  }
};

/// Queries, keys and values mixed. What is bfloat16 on a CPU is mixed in float32: the backward pass of the
/// fused kernel takes four times as long in bfloat16.
torch::Tensor attended(const std::vector<torch::Tensor>& qkv, const torch::Tensor& mask) {
  const auto allowed = mask.defined() ? std::optional<torch::Tensor>(mask) : std::nullopt;
  if (!qkv[0].is_cpu() || qkv[0].scalar_type() != torch::kBFloat16) {
    return at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], allowed);
  }
  // Autocast would narrow them again.
  const c10::impl::ExcludeDispatchKeyGuard as_they_are(c10::autocast_dispatch_keyset);
  const auto wide = [&](std::size_t which) { return qkv[which].to(torch::kFloat); };
  return at::scaled_dot_product_attention(wide(0), wide(1), wide(2), allowed);
}

Windows lay_windows(const torch::Tensor& x, const MultiHeadSelfAttentionOptions& options, int64_t row0,
                    int64_t col0) {
  const Windows windows{lay_windows(x.size(2), options.window(), row0),
                        lay_windows(x.size(3), options.window(), col0)};
  TORCH_CHECK(windows.tokens() <= options.max_tokens(), kName, ": ", windows.tokens(),
              " tokens would look at one another, at most ", options.max_tokens(),
              " are allowed; set a smaller window or raise max_tokens");
  return windows;
}

}  // namespace

Attended scaled_dot_product(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                            std::optional<double> scale, const torch::Tensor& mask) {
  TORCH_CHECK(
      q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2 && q.size(-1) == k.size(-1) && k.size(-2) == v.size(-2),
      "scaled_dot_product: expected q (..., L, d), k (..., S, d), v (..., S, e), got ", q.sizes(), ", ",
      k.sizes(), ", ", v.sizes());
  auto scores = torch::matmul(q, k.transpose(-2, -1)) *
                scale.value_or(1.0 / std::sqrt(static_cast<double>(q.size(-1))));
  if (!mask.defined()) {
    const auto weights = torch::softmax(scores, -1);
    return {torch::matmul(weights, v), weights};
  }
  // Not -inf: a query that may look nowhere would get NaN, and a NaN gradient.
  scores = scores.masked_fill(mask.logical_not(), std::numeric_limits<float>::lowest() / 2);
  const auto weights = torch::softmax(scores, -1).masked_fill(mask.logical_not(), 0.0);
  return {torch::matmul(weights, v), weights};
}

MultiHeadSelfAttentionOptions::MultiHeadSelfAttentionOptions(int64_t channels, int64_t heads)
    : channels_(channels), heads_(heads) {}

MultiHeadSelfAttentionImpl::MultiHeadSelfAttentionImpl(const MultiHeadSelfAttentionOptions& options_)
    : options(options_) {
  reset();
}

void MultiHeadSelfAttentionImpl::reset() {
  check_positive({options.channels(), options.heads(), options.max_tokens()}, kName,
                 "channels, heads and max_tokens");
  TORCH_CHECK(options.channels() % options.heads() == 0, kName, ": heads must divide the ",
              options.channels(), " channels, got ", options.heads());
  TORCH_CHECK(options.window() >= 0, kName, ": window must be at least 0, got ", options.window());
  query_key_value =
      register_module("query_key_value", torch::nn::Linear(options.channels(), 3 * options.channels()));
  output = register_module("output", torch::nn::Linear(options.channels(), options.channels()));
}

void MultiHeadSelfAttentionImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::MultiHeadSelfAttention(" << options.channels() << ", heads=" << options.heads()
         << " x " << options.channels() / options.heads() << ", window=";
  if (options.window() == 0) {
    stream << "all)";
  } else {
    stream << options.window() << ")";
  }
}

torch::Tensor MultiHeadSelfAttentionImpl::forward(const torch::Tensor& x, int64_t row0, int64_t col0) {
  check_features(x, options.channels(), kName);
  const auto windows = lay_windows(x, options, row0, col0);
  const auto qkv = windows.split(query_key_value(x.permute({0, 2, 3, 1})), 3, options.heads());
  const auto mask = windows.mask(x.size(0), x.device());
  const auto mixed = attended(qkv, mask).to(qkv[0].scalar_type());
  return output(windows.join(mixed.contiguous())).permute({0, 3, 1, 2});
}

Attended MultiHeadSelfAttentionImpl::forward_with_weights(const torch::Tensor& x, int64_t row0,
                                                          int64_t col0) {
  check_features(x, options.channels(), kName);
  const auto windows = lay_windows(x, options, row0, col0);
  const auto qkv = windows.split(query_key_value(x.permute({0, 2, 3, 1})), 3, options.heads());
  const auto attended =
      scaled_dot_product(qkv[0], qkv[1], qkv[2], std::nullopt, windows.mask(x.size(0), x.device()));
  return {output(windows.join(attended.output)).permute({0, 3, 1, 2}),
          attended.weights.unflatten(0, {x.size(0), windows.count()})};
}

}  // namespace hyperdefect::nn
