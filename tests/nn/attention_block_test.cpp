// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/attention_block.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

TEST(AttentionBlock, ChangesItsInputByTwoSums) {
  torch::manual_seed(21);
  AttentionBlock block(AttentionBlockOptions(8, 2).window(2));
  const auto x = torch::randn({2, 8, 3, 4});
  const auto mixed = x + block->attention(block->attention_norm(x));
  const auto hidden = torch::gelu(block->widen(block->mlp_norm(mixed)));
  EXPECT_EQ(hidden.size(1), 16);
  expect_close(block(x), mixed + block->narrow(hidden), 1e-6);
}

TEST(AttentionBlock, IsTheIdentityWhereBothBranchesAreZero) {
  AttentionBlock block(AttentionBlockOptions(4, 2));
  const torch::NoGradGuard no_grad;
  for (const auto& parameter : {block->attention->output->weight, block->attention->output->bias,
                                block->narrow->weight, block->narrow->bias}) {
    parameter.zero_();
  }
  const auto x = torch::randn({1, 4, 5, 5});
  expect_close(block(x), x, 0.0);
}

TEST(AttentionBlock, PassesTheOriginOn) {
  torch::manual_seed(22);
  AttentionBlock block(AttentionBlockOptions(4, 2).window(4));
  const auto image = torch::randn({1, 4, 8, 8});
  const auto tile = block(image.narrow(2, 2, 6).narrow(3, 3, 5), 2, 3);
  expect_close(tile.narrow(2, 2, 4).narrow(3, 1, 4), block(image).narrow(2, 4, 4).narrow(3, 4, 4), 1e-5);
}

TEST(AttentionBlock, RefusesWhatItCannotDo) {
  AttentionBlock block(AttentionBlockOptions(4, 2));
  EXPECT_EQ(test::refusal([&] {
              block(torch::rand({1, 3, 2, 2}));
            }),
            "AttentionBlock: expected (N, 4, H, W) with at least one pixel, got [1, 3, 2, 2]");
  EXPECT_EQ(test::refusal([] { AttentionBlock bad(AttentionBlockOptions(4, 2).mlp_ratio(0)); }),
            "AttentionBlock: mlp_ratio must be at least 1, got [0]");
}

TEST(AttentionBlock, KeepsTheContract) {
  torch::manual_seed(23);
  test::expect_contract(AttentionBlock(AttentionBlockOptions(4, 2).window(2)),
                        torch::randn({1, 4, 3, 4}, test::doubles()));
}

TEST(AttentionBlock, Prints) {
  EXPECT_EQ(test::printed(AttentionBlock(AttentionBlockOptions(4, 2))).substr(0, 64),
            "hyperdefect::nn::AttentionBlock(4, heads=2, mlp_ratio=2)(\n  (att");
}

}  // namespace
}  // namespace hyperdefect::nn
