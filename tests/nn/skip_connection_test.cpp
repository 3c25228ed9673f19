// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/skip_connection.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

using test::expect_close;

const auto kDecoder = [] { return torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 1, 2, 2}); };
const auto kEncoder = [] { return torch::tensor({10.0F, 20.0F, 30.0F, 40.0F}).view({1, 1, 2, 2}); };

TEST(SkipConnection, JoinsInEachMode) {
  SkipConnection concat(SkipConnectionOptions(1, 1));
  expect_close(concat(kDecoder(), kEncoder()).view(-1), torch::tensor({1., 2., 3., 4., 10., 20., 30., 40.}));
  SkipConnection add(SkipConnectionOptions(1, 1).mode(Skip::add));
  expect_close(add(kDecoder(), kEncoder()).view(-1), torch::tensor({11., 22., 33., 44.}));
  SkipConnection none(SkipConnectionOptions(1, 1).mode(Skip::none));
  expect_close(none(kDecoder(), kEncoder()), kDecoder());
}

TEST(SkipConnection, KnowsItsChannels) {
  const SkipConnectionOptions options(6, 4);
  const auto out = [](SkipConnectionOptions of) { return SkipConnection(of)->out_channels(); };
  EXPECT_EQ(out(options), 10);
  EXPECT_EQ(out(SkipConnectionOptions(options).channels(2)), 8);
  EXPECT_EQ(out(SkipConnectionOptions(options).mode(Skip::add)), 6);
  EXPECT_EQ(out(SkipConnectionOptions(options).mode(Skip::none)), 6);
  for (const auto mode : {Skip::concat, Skip::add, Skip::none}) {
    SkipConnection skip(SkipConnectionOptions(options).mode(mode).channels(2));
    const auto y = skip(torch::rand({2, 6, 3, 5}), torch::rand({2, 4, 3, 5}));
    EXPECT_EQ(y.sizes(), (std::vector<int64_t>{2, skip->out_channels(), 3, 5}));
  }
}

TEST(SkipConnection, ReducesOnlyWhereItMust) {
  const auto reduced = [](SkipConnectionOptions of) { return !SkipConnection(of)->reduction.is_empty(); };
  EXPECT_FALSE(reduced(SkipConnectionOptions(4, 4)));
  EXPECT_TRUE(reduced(SkipConnectionOptions(4, 4).channels(4)));
  EXPECT_FALSE(reduced(SkipConnectionOptions(4, 4).mode(Skip::add)));
  EXPECT_TRUE(reduced(SkipConnectionOptions(4, 3).mode(Skip::add)));
  EXPECT_FALSE(reduced(SkipConnectionOptions(4, 3).mode(Skip::none)));
}

TEST(SkipConnection, CropsADecoderThatUpsamplingMadeLarger) {
  SkipConnection skip(SkipConnectionOptions(1, 1).mode(Skip::add));
  expect_close(skip(kDecoder(), torch::full({1, 1, 1, 1}, 10.0F)), torch::full({1, 1, 1, 1}, 11.0F));
  const auto wide = skip(kDecoder(), torch::zeros({1, 1, 1, 2}));
  expect_close(wide.view(-1), torch::tensor({1.0, 2.0}));
}

TEST(SkipConnection, KeepsChannelsLastInMemory) {
  const auto channels_last = [](int64_t channels) {
    return torch::rand({1, channels, 4, 6}).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
  };
  SkipConnection concat(SkipConnectionOptions(3, 2));
  const auto decoder = channels_last(3);
  const auto computed = decoder * 2;
  const auto y = concat(computed, channels_last(2));
  EXPECT_TRUE(y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  bool packed = false;
  computed.register_hook([&](const torch::Tensor& gradient) {
    packed = gradient.is_contiguous(torch::MemoryFormat::ChannelsLast);
  });
  const auto weights = torch::rand(y.sizes());
  (y * weights).sum().backward();
  EXPECT_TRUE(packed) << "a slice of the gradient of y";
  expect_close(decoder.grad(), 2 * weights.narrow(1, 0, 3));
}

TEST(SkipConnection, RefusesWhatDoesNotFit) {
  SkipConnection skip(SkipConnectionOptions(1, 2));
  EXPECT_EQ(test::refusal([&] {
              skip(torch::rand({1, 2, 2, 2}), torch::rand({1, 2, 2, 2}));
            }),
            "SkipConnection, decoder: expected (N, 1, H, W) with at least one pixel, got [1, 2, 2, 2]");
  EXPECT_EQ(test::refusal([&] {
              skip(torch::rand({1, 1, 2, 2}), torch::rand({1, 1, 2, 2}));
            }),
            "SkipConnection, encoder: expected (N, 2, H, W) with at least one pixel, got [1, 1, 2, 2]");
  EXPECT_EQ(
      test::refusal([&] {
        skip(torch::rand({1, 1, 2, 2}), torch::rand({1, 2, 3, 2}));
      }),
      "SkipConnection: expected a decoder at least as large as the encoder's [1, 2, 3, 2], got [1, 1, 2, 2]");
  EXPECT_EQ(test::refusal([] { SkipConnection bad(SkipConnectionOptions(1, 1).channels(-1)); }),
            "SkipConnection: channels must be at least 0, got -1");
}

TEST(SkipConnection, KeepsTheContract) {
  torch::manual_seed(8);
  const std::vector<torch::Tensor> inputs{torch::randn({1, 3, 4, 4}, test::doubles()),
                                          torch::randn({1, 2, 3, 4}, test::doubles())};
  const auto call = [](SkipConnection& m, const auto& x) { return m(x[0], x[1]); };
  for (const auto mode : {Skip::concat, Skip::add}) {
    SkipConnection skip(SkipConnectionOptions(3, 2).mode(mode).channels(1));
    test::ModuleContract<SkipConnection>{skip, inputs, call}.expect_kept();
  }
}

TEST(SkipConnection, Prints) {
  EXPECT_EQ(test::printed(SkipConnection(SkipConnectionOptions(6, 4))),
            "hyperdefect::nn::SkipConnection(concat: decoder 6, encoder 4 -> 10)");
}

}  // namespace
}  // namespace hyperdefect::nn
