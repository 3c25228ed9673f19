// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/conv_block.h"

#include <gtest/gtest.h>

#include "hyperdefect/nn/channel_norm.h"
#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

/// A block whose 3x3 kernel sums what it sees.
ConvBlock summing(Padding padding) {
  ConvBlock block(ConvBlockOptions(1, 1).padding(padding).norm(Norm::none));
  const torch::NoGradGuard no_grad;
  block->conv->weight.fill_(1.0);
  block->conv->bias.fill_(0.0);
  return block;
}

TEST(ConvBlock, SumsAnImageWithEachBorder) {
  const auto x = torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 1, 2, 2});
  expect_close(summing(Padding::zeros)(x).view(-1), torch::tensor({10.0, 10.0, 10.0, 10.0}), 1e-6);
  // Around 1 lie 4 3 4 / 2 1 2 / 4 3 4 when reflected, and 1 1 2 / 1 1 2 / 3 3 4 when repeated.
  expect_close(summing(Padding::reflect)(x).view(-1), torch::tensor({27.0, 24.0, 21.0, 18.0}), 1e-6);
  expect_close(summing(Padding::replicate)(x).view(-1), torch::tensor({18.0, 21.0, 24.0, 27.0}), 1e-6);
}

TEST(ConvBlock, NegativeValuesAreDampedToAFifth) {
  auto block = summing(Padding::zeros);
  const auto x = torch::full({1, 1, 1, 1}, -5.0F);
  expect_close(block(x), torch::full({1, 1, 1, 1}, -1.0), 1e-6);
  block->options.activation(false);
  expect_close(block(x), torch::full({1, 1, 1, 1}, -5.0), 1e-6);
}

TEST(ConvBlock, StrideRoundsUpAndSmallImagesWork) {
  ConvBlock block(ConvBlockOptions(2, 3).stride(2).kernel(5));
  for (const int64_t side : {1, 2, 3, 4, 7}) {
    EXPECT_EQ(block(torch::rand({2, 2, side, 4})).sizes(), (std::vector<int64_t>{2, 3, (side + 1) / 2, 2}));
  }
}

TEST(ConvBlock, HasABiasOnlyWithoutANorm) {
  EXPECT_TRUE(ConvBlock(ConvBlockOptions(1, 2).norm(Norm::none))->conv->bias.defined());
  EXPECT_FALSE(ConvBlock(ConvBlockOptions(1, 2).norm(Norm::layer))->conv->bias.defined());
  EXPECT_FALSE(ConvBlock(ConvBlockOptions(1, 2).norm(Norm::batch))->conv->bias.defined());
}

TEST(ConvBlock, LayerNormLeavesEachPixelOfUnitVariance) {
  torch::manual_seed(3);
  ConvBlock block(ConvBlockOptions(2, 16).activation(false));
  const auto y = block(torch::randn({1, 2, 4, 4}) * 100.0);
  expect_close(y.mean(1), torch::zeros({1, 4, 4}), 1e-4);
  expect_close(y.var(1, /*unbiased=*/false), torch::ones({1, 4, 4}), 1e-3);
}

TEST(ConvBlock, RefusesWhatItCannotDo) {
  ConvBlock block(ConvBlockOptions(2, 3));
  EXPECT_EQ(test::refusal([&] {
              block(torch::rand({1, 5, 4, 4}));
            }),
            "ConvBlock: expected (N, 2, H, W) with at least one pixel, got [1, 5, 4, 4]");
  EXPECT_EQ(test::refusal([] { ConvBlock even(ConvBlockOptions(2, 3).kernel(4)); }),
            "ConvBlock: kernel must be odd, got 4");
  EXPECT_EQ(test::refusal([] { ConvBlock still(ConvBlockOptions(2, 3).stride(0)); }),
            "ConvBlock: channels, kernel and stride must be at least 1, got [2, 3, 3, 0]");
}

TEST(ConvBlock, KeepsTheContract) {
  torch::manual_seed(4);
  const auto x = torch::randn({2, 3, 5, 4}, test::doubles());
  for (const auto norm : {Norm::layer, Norm::batch, Norm::none}) {
    test::expect_contract(ConvBlock(ConvBlockOptions(3, 4).norm(norm).stride(2)), x);
  }
}

TEST(ConvBlock, Prints) {
  EXPECT_EQ(test::printed(ConvBlock(ConvBlockOptions(2, 3).stride(2))),
            "hyperdefect::nn::ConvBlock(2, 3, kernel=3, stride=2, padding=reflect, norm=layer, "
            "activation=leaky_relu)(\n"
            "  (conv): torch::nn::Conv2d(2, 3, kernel_size=[3, 3], stride=[2, 2], bias=false)\n"
            "  (norm): hyperdefect::nn::ChannelNorm(3, eps=1e-05)\n"
            ")");
}

}  // namespace
}  // namespace hyperdefect::nn
