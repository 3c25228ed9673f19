// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/attention.h"

#include <torch/nn/modules/activation.h>

#include <gtest/gtest.h>

#include <cmath>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

TEST(ScaledDotProduct, FollowsTheWorkedExampleOfFourPixels) {
  const auto pixels = torch::tensor({{1., 0., 1.}, {0., 1., 0.}, {1., 1., 0.}, {0., 0., 1.}}, torch::kDouble);
  const auto [output, weights] = scaled_dot_product(pixels, pixels, pixels, 1.0);
  const double e = std::exp(1.0);
  expect_close(weights[0], torch::tensor({e * e, 1.0, e, e}, torch::kDouble) / (e * e + 1 + 2 * e), 1e-12);
  expect_close(weights[0], torch::tensor({0.534447, 0.072329, 0.196612, 0.196612}, torch::kDouble), 1e-6);
  expect_close(output[0], torch::tensor({0.731059, 0.268941, 0.731059}, torch::kDouble), 1e-6);
  expect_close(weights.sum(-1), torch::ones({4}), 1e-12);
}

TEST(ScaledDotProduct, ScalesByTheRootOfTheDimensionUnlessTold) {
  torch::manual_seed(17);
  const auto q = torch::randn({2, 3, 4}, torch::kDouble);
  const auto k = torch::randn({2, 5, 4}, torch::kDouble);
  const auto v = torch::randn({2, 5, 6}, torch::kDouble);
  expect_close(scaled_dot_product(q, k, v).output, scaled_dot_product(q, k, v, 0.5).output, 1e-12);
  expect_close(scaled_dot_product(q, k, v).output, at::scaled_dot_product_attention(q, k, v), 1e-12);
}

TEST(ScaledDotProduct, LooksOnlyWhereTheMaskAllows) {
  torch::manual_seed(18);
  auto q = torch::randn({3, 4}, torch::requires_grad());
  const auto k = torch::randn({3, 4});
  const auto mask = torch::tensor({{true, false, true}, {true, true, true}, {false, false, false}});
  const auto [output, weights] = scaled_dot_product(q, k, k, std::nullopt, mask);
  EXPECT_EQ(weights[0][1].item<float>(), 0.0F);
  const auto seen = k.index_select(0, torch::tensor({0, 2}));
  expect_close(output[0].unsqueeze(0), scaled_dot_product(q[0].unsqueeze(0), seen, seen).output, 1e-6);
  expect_close(output[1].unsqueeze(0), scaled_dot_product(q[1].unsqueeze(0), k, k).output, 1e-6);
  // Who may look nowhere gets zeros, and no NaN comes back.
  expect_close(output[2], torch::zeros({4}));
  output.sum().backward();
  EXPECT_EQ(q.grad()[2].abs().max().item<float>(), 0.0F);
  auto free = q.detach().slice(0, 1, 2).clone().requires_grad_();
  scaled_dot_product(free, k, k).output.sum().backward();
  expect_close(q.grad().slice(0, 1, 2), free.grad(), 1e-6);
}

TEST(ScaledDotProduct, RefusesShapesThatDoNotFit) {
  EXPECT_EQ(
      test::refusal([] {
        scaled_dot_product(torch::rand({2, 3}), torch::rand({2, 4}), torch::rand({2, 4}));
      }),
      "scaled_dot_product: expected q (..., L, d), k (..., S, d), v (..., S, e), got [2, 3], [2, 4], [2, 4]");
}

MultiHeadSelfAttention make(int64_t window) {
  torch::manual_seed(19);
  MultiHeadSelfAttention attention(MultiHeadSelfAttentionOptions(8, 2).window(window));
  attention->to(torch::kDouble);
  return attention;
}

torch::Tensor cut(const torch::Tensor& x, int64_t row, int64_t rows, int64_t col, int64_t cols) {
  return x.narrow(2, row, rows).narrow(3, col, cols);
}

TEST(MultiHeadSelfAttention, EqualsTorchsOwnWithTheSameWeights) {
  auto attention = make(0);
  torch::nn::MultiheadAttention reference(torch::nn::MultiheadAttentionOptions(8, 2));
  reference->to(torch::kDouble);
  {
    const torch::NoGradGuard no_grad;
    reference->in_proj_weight.copy_(attention->query_key_value->weight);
    reference->in_proj_bias.copy_(attention->query_key_value->bias);
    reference->out_proj->weight.copy_(attention->output->weight);
    reference->out_proj->bias.copy_(attention->output->bias);
  }
  const auto x = torch::randn({3, 8, 4, 5}, torch::kDouble);
  const auto tokens = x.flatten(2).permute({2, 0, 1});
  const auto [mixed, mean_weights] = reference(tokens, tokens, tokens);
  expect_close(attention(x), mixed.permute({1, 2, 0}).view({3, 8, 4, 5}), 1e-10);
  const auto weights = attention->forward_with_weights(x).weights;
  ASSERT_EQ(weights.sizes(), (std::vector<int64_t>{3, 1, 2, 20, 20}));
  expect_close(weights.squeeze(1).mean(1), mean_weights, 1e-10);
}

TEST(MultiHeadSelfAttention, TheWrittenOutFormAgreesWithTheFusedOne) {
  auto attention = make(3);
  for (const int64_t origin : {0, 1, 2}) {
    const auto x = torch::randn({2, 8, 7, 5}, torch::kDouble);
    const auto [output, weights] = attention->forward_with_weights(x, origin, 2);
    expect_close(attention(x, origin, 2), output, 1e-10);
    // What fills windows beyond the map is never looked at: each query's weights still sum to 1.
    expect_close(weights.sum(-1), torch::ones(weights.sizes().slice(0, 4)), 1e-10);
  }
}

TEST(MultiHeadSelfAttention, AttendsInEachWindowAlone) {
  auto attention = make(4);
  auto all = make(0);
  const auto x = torch::randn({1, 8, 8, 4}, torch::kDouble);
  expect_close(cut(attention(x), 4, 4, 0, 4), all(cut(x, 4, 4, 0, 4)), 1e-10);
}

TEST(MultiHeadSelfAttention, FillsNoWindowForAMapThatLiesInOne) {
  auto attention = make(8);
  auto all = make(0);
  const auto x = torch::randn({1, 8, 5, 6}, torch::kDouble);
  const auto attended = attention->forward_with_weights(x, 8, 2);
  EXPECT_EQ(attended.weights.sizes(), (std::vector<int64_t>{1, 1, 2, 30, 30}));
  expect_close(attended.output, all(x), 1e-10);
  expect_close(attention(x, 8, 2), all(x), 1e-10);
}

TEST(MultiHeadSelfAttention, DoesNotDependOnHowTheImageIsCutAtWindowBorders) {
  auto attention = make(4);
  const auto image = torch::randn({1, 8, 11, 10}, torch::kDouble);
  const auto whole = attention(image);
  expect_close(attention(cut(image, 0, 4, 0, 8)), cut(whole, 0, 4, 0, 8), 1e-10);
  expect_close(attention(cut(image, 4, 7, 8, 2), 4, 8), cut(whole, 4, 7, 8, 2), 1e-10);
  expect_close(attention(cut(image, 8, 3, 4, 6), 8, 4), cut(whole, 8, 3, 4, 6), 1e-10);
}

TEST(MultiHeadSelfAttention, AnyOriginKeepsTheWindowsOfTheImage) {
  auto attention = make(4);
  const auto image = torch::randn({1, 8, 12, 12}, torch::kDouble);
  const auto whole = attention(image);
  // Windows that lie whole in a tile are the image's, wherever the tile begins.
  for (const int64_t row : {1, 2, 3}) {
    const auto tile = attention(cut(image, row, 12 - row, 3, 9), row, 3);
    expect_close(tile.narrow(2, 4 - row, 8).narrow(3, 1, 8), cut(whole, 4, 8, 4, 8), 1e-10);
  }
}

TEST(MultiHeadSelfAttention, RefusesWhatItCannotDo) {
  auto attention = make(0);
  EXPECT_EQ(test::refusal([&] {
              attention(torch::rand({1, 4, 2, 2}));
            }),
            "MultiHeadSelfAttention: expected (N, 8, H, W) with at least one pixel, got [1, 4, 2, 2]");
  EXPECT_EQ(test::refusal([&] {
              attention(torch::rand({1, 8, 65, 64}, torch::kDouble));
            }),
            "MultiHeadSelfAttention: 4160 tokens would look at one another, at most 4096 are allowed; set a "
            "smaller "
            "window or raise max_tokens");
  EXPECT_EQ(test::refusal([&] {
              attention(torch::rand({1, 8, 2, 2}, torch::kDouble), -1);
            }),
            "MultiHeadSelfAttention: expected an origin in the image, got -1");
  EXPECT_EQ(test::refusal([] { MultiHeadSelfAttention bad(MultiHeadSelfAttentionOptions(8, 3)); }),
            "MultiHeadSelfAttention: heads must divide the 8 channels, got 3");
  EXPECT_EQ(test::refusal([] { MultiHeadSelfAttention bad(MultiHeadSelfAttentionOptions(8, 2).window(-1)); }),
            "MultiHeadSelfAttention: window must be at least 0, got -1");
  EXPECT_EQ(test::refusal([] { MultiHeadSelfAttention bad(MultiHeadSelfAttentionOptions(8, 0)); }),
            "MultiHeadSelfAttention: channels, heads and max_tokens must be at least 1, got [8, 0, 4096]");
}

TEST(MultiHeadSelfAttention, KeepsTheContract) {
  torch::manual_seed(20);
  const auto x = torch::randn({2, 4, 3, 5}, test::doubles());
  test::expect_contract(MultiHeadSelfAttention(MultiHeadSelfAttentionOptions(4, 2).window(2)), x);
  test::expect_contract(MultiHeadSelfAttention(MultiHeadSelfAttentionOptions(4, 1).window(0)), x);
}

TEST(MultiHeadSelfAttention, Prints) {
  EXPECT_EQ(test::printed(MultiHeadSelfAttention(MultiHeadSelfAttentionOptions(8, 2))),
            "hyperdefect::nn::MultiHeadSelfAttention(8, heads=2 x 4, window=8)(\n"
            "  (query_key_value): torch::nn::Linear(in_features=8, out_features=24, bias=true)\n"
            "  (output): torch::nn::Linear(in_features=8, out_features=8, bias=true)\n"
            ")");
  EXPECT_NE(test::printed(MultiHeadSelfAttention(MultiHeadSelfAttentionOptions(8, 2).window(0)))
                .find("window=all)"),
            std::string::npos);
}

}  // namespace
}  // namespace hyperdefect::nn
