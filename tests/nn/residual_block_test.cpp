// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/residual_block.h"

#include <torch/nn/modules/container/sequential.h>

#include <gtest/gtest.h>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

TEST(ResidualBlock, AddsItsInput) {
  torch::manual_seed(5);
  ResidualBlock block(ResidualBlockOptions(3, 3));
  const auto x = torch::randn({2, 3, 4, 5});
  const auto changed = block->second(block->first(x));
  expect_close(block(x), changed + x, 0.0);
  block->options.residual(false);
  expect_close(block(x), changed, 0.0);
}

TEST(ResidualBlock, IsTheIdentityWhereFIsZero) {
  ResidualBlock block(ResidualBlockOptions(2, 2).norm(Norm::none));
  const torch::NoGradGuard no_grad;
  block->second->conv->weight.zero_();
  block->second->conv->bias.zero_();
  const auto x = torch::randn({1, 2, 3, 3});
  EXPECT_TRUE(torch::equal(block(x), x));
}

TEST(ResidualBlock, ProjectsWhereChannelsOrStrideChange) {
  EXPECT_TRUE(ResidualBlock(ResidualBlockOptions(2, 2))->projection.is_empty());
  EXPECT_FALSE(ResidualBlock(ResidualBlockOptions(2, 3))->projection.is_empty());
  EXPECT_FALSE(ResidualBlock(ResidualBlockOptions(2, 2).stride(2))->projection.is_empty());
  EXPECT_TRUE(ResidualBlock(ResidualBlockOptions(2, 3).residual(false))->projection.is_empty());
  ResidualBlock block(ResidualBlockOptions(2, 3).stride(2));
  EXPECT_EQ(block(torch::rand({1, 2, 5, 4})).sizes(), (std::vector<int64_t>{1, 3, 3, 2}));
}

/// The gradient's norm at the first of 50 convolutions, of a stack of 25 blocks.
double first_gradient(bool residual) {
  torch::manual_seed(6);
  torch::nn::Sequential stack;
  for (int block = 0; block < 25; ++block) {
    stack->push_back(ResidualBlock(ResidualBlockOptions(4, 4).norm(Norm::none).residual(residual)));
  }
  stack->forward(torch::randn({1, 4, 6, 6})).square().mean().backward();
  return stack->ptr<ResidualBlockImpl>(0)->first->conv->weight.grad().norm().item<double>();
}

TEST(ResidualBlock, TheGradientReachesTheFirstOfFiftyLayers) {
  EXPECT_GT(first_gradient(true), 1e-3);
  EXPECT_LT(first_gradient(false), 1e-12);
}

TEST(ResidualBlock, RefusesWhatIsNotItsShape) {
  ResidualBlock block(ResidualBlockOptions(2, 3));
  EXPECT_EQ(test::refusal([&] {
              block(torch::rand({1, 3, 4, 4}));
            }),
            "ResidualBlock: expected (N, 2, H, W) with at least one pixel, got [1, 3, 4, 4]");
}

TEST(ResidualBlock, KeepsTheContract) {
  torch::manual_seed(7);
  const auto x = torch::randn({1, 3, 4, 5}, test::doubles());
  test::expect_contract(ResidualBlock(ResidualBlockOptions(3, 3)), x);
  test::expect_contract(ResidualBlock(ResidualBlockOptions(3, 2).stride(2)), x);
}

TEST(ResidualBlock, PrintsItsFormula) {
  const auto begins = [](const ResidualBlockOptions& options) {
    const auto text = test::printed(ResidualBlock(options));
    return text.substr(0, text.find(")(\n") + 1);
  };
  EXPECT_EQ(begins(ResidualBlockOptions(2, 2)),
            "hyperdefect::nn::ResidualBlock(2, 2, stride=1, y = F(x) + x)");
  EXPECT_EQ(begins(ResidualBlockOptions(2, 2).residual(false)),
            "hyperdefect::nn::ResidualBlock(2, 2, stride=1, y = F(x))");
  EXPECT_NE(
      test::printed(ResidualBlock(ResidualBlockOptions(2, 4).stride(2))).find("y = F(x) + projection(x))"),
      std::string::npos);
}

}  // namespace
}  // namespace hyperdefect::nn
