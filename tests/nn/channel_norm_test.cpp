// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/channel_norm.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

TEST(ChannelNorm, NormalisesAPixelOverItsChannels) {
  ChannelNorm norm(ChannelNormOptions(3).eps(1e-12));
  const auto x = torch::tensor({1.0F, 2.0F, 3.0F}).view({1, 3, 1, 1});
  // Mean 2, variance 2/3: -1, 0, 1 over sqrt(2/3).
  expect_close(norm(x), torch::tensor({-1.2247449, 0.0, 1.2247449}).view({1, 3, 1, 1}), 1e-6);
}

TEST(ChannelNorm, ScalesAndShiftsEachChannel) {
  ChannelNorm norm(ChannelNormOptions(2).eps(1e-12));
  const torch::NoGradGuard no_grad;
  norm->weight.copy_(torch::tensor({2.0, 3.0}));
  norm->bias.copy_(torch::tensor({10.0, 20.0}));
  const auto x = torch::tensor({0.0F, 4.0F}).view({1, 2, 1, 1});
  expect_close(norm(x), torch::tensor({8.0, 23.0}).view({1, 2, 1, 1}), 1e-6);
}

TEST(ChannelNorm, APixelDoesNotDependOnItsNeighbours) {
  torch::manual_seed(1);
  ChannelNorm norm(6);
  const auto x = torch::randn({2, 6, 5, 7});
  EXPECT_TRUE(torch::equal(norm(x.narrow(2, 1, 3).narrow(3, 2, 4)), norm(x).narrow(2, 1, 3).narrow(3, 2, 4)));
}

TEST(ChannelNorm, ResultLiesChannelsLast) {
  ChannelNorm norm(4);
  EXPECT_TRUE(norm(torch::rand({2, 4, 3, 3})).is_contiguous(torch::MemoryFormat::ChannelsLast));
}

TEST(ChannelNorm, RefusesWhatIsNotItsShape) {
  ChannelNorm norm(4);
  EXPECT_EQ(test::refusal([&] {
              norm(torch::rand({2, 3, 5, 5}));
            }),
            "ChannelNorm: expected (N, 4, H, W) with at least one pixel, got [2, 3, 5, 5]");
  EXPECT_EQ(test::refusal([&] {
              norm(torch::rand({4, 5, 5}));
            }),
            "ChannelNorm: expected (N, 4, H, W) with at least one pixel, got [4, 5, 5]");
  EXPECT_EQ(test::refusal([&] {
              norm(torch::rand({1, 4, 0, 5}));
            }),
            "ChannelNorm: expected (N, 4, H, W) with at least one pixel, got [1, 4, 0, 5]");
  EXPECT_EQ(test::refusal([&] { norm(torch::Tensor()); }),
            "ChannelNorm: expected (N, 4, H, W), got an undefined tensor");
  EXPECT_EQ(test::refusal([] { ChannelNorm none(0); }), "ChannelNorm: channels must be at least 1, got [0]");
}

TEST(ChannelNorm, KeepsTheContract) {
  torch::manual_seed(2);
  test::expect_contract(ChannelNorm(5), torch::randn({2, 5, 3, 2}, test::doubles()));
}

TEST(ChannelNorm, Prints) {
  EXPECT_EQ(test::printed(ChannelNorm(5)), "hyperdefect::nn::ChannelNorm(5, eps=1e-05)");
}

}  // namespace
}  // namespace hyperdefect::nn
