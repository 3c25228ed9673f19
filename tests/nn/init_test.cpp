// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/init.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/container/sequential.h>

#include "hyperdefect/nn/attention_block.h"
#include "hyperdefect/nn/residual_block.h"
#include "hyperdefect/nn/spectral_lift.h"
#include "hyperdefect/nn/upsample.h"
#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

at::Generator seeded(uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

/// A network with every kind of layer that has weights.
torch::nn::Sequential one_of_each() {
  torch::nn::Sequential network(SpectralLift(SpectralLiftOptions(40, 32)),
                                ResidualBlock(ResidualBlockOptions(32, 64).stride(2)),
                                AttentionBlock(AttentionBlockOptions(64, 4)),
                                Upsample(UpsampleOptions(64).mode(Upsampling::transposed_conv)),
                                ResidualBlock(ResidualBlockOptions(64, 64).norm(Norm::batch)));
  network->to(test::test_device());
  return network;
}

double variance(const torch::Tensor& weight) {
  return weight.square().mean().item<double>();
}

TEST(Initialise, TheSameSeedGivesTheSameNetwork) {
  auto first = one_of_each();
  auto second = one_of_each();
  auto other = one_of_each();
  initialise(*first, seeded(7));
  initialise(*second, seeded(7));
  initialise(*other, seeded(8));
  for (const auto& parameter : first->named_parameters()) {
    EXPECT_TRUE(torch::equal(parameter.value(), second->named_parameters()[parameter.key()]))
        << parameter.key();
    if (parameter.value().dim() > 1) {
      EXPECT_FALSE(torch::equal(parameter.value(), other->named_parameters()[parameter.key()]))
          << parameter.key();
    }
  }
}

TEST(Initialise, WithoutAGeneratorFollowsTorchsSeed) {
  auto first = one_of_each();
  auto second = one_of_each();
  torch::manual_seed(9);
  initialise(*first);
  torch::manual_seed(9);
  initialise(*second);
  EXPECT_TRUE(torch::equal(first->parameters().front(), second->parameters().front()));
}

TEST(Initialise, VariancesFollowTheFanIn) {
  constexpr double kSquaredGain = 2.0 / 1.04;
  ConvBlock conv(ConvBlockOptions(32, 64));
  initialise(*conv, seeded(1));
  EXPECT_NEAR(variance(conv->conv->weight) * 32 * 9, kSquaredGain, 0.06);
  MultiHeadSelfAttention attention(MultiHeadSelfAttentionOptions(64, 4));
  initialise(*attention, seeded(2));
  EXPECT_NEAR(variance(attention->query_key_value->weight) * 64, 1.0, 0.05);
  // Stride 2 and kernel 4: four of the sixteen taps of each input channel meet in a pixel.
  Upsample up(UpsampleOptions(32).mode(Upsampling::transposed_conv).out_channels(16).kernel(4));
  initialise(*up, seeded(3));
  EXPECT_NEAR(variance(up->conv->weight) * 32 * 4, kSquaredGain, 0.1);
  SpectralLift lift(SpectralLiftOptions(40, 8).mode(Lift::full).channels(64));
  initialise(*lift, seeded(4));
  EXPECT_NEAR(variance(lift->volume->weight) * 63, kSquaredGain, 0.15);
}

TEST(Initialise, BiasesAreZeroAndNormsOne) {
  auto network = one_of_each();
  const torch::NoGradGuard no_grad;
  for (auto& parameter : network->parameters()) {
    parameter.fill_(5.0);
  }
  initialise(*network, seeded(1));
  for (const auto& parameter : network->named_parameters()) {
    if (parameter.value().dim() == 1) {
      const bool bias = parameter.key().find("bias") != std::string::npos;
      EXPECT_TRUE((parameter.value() == (bias ? 0.0 : 1.0)).all().item<bool>()) << parameter.key();
    } else {
      EXPECT_LT(parameter.value().abs().max().item<double>(), 5.0) << parameter.key();
    }
  }
}

TEST(Initialise, KeepsTheScaleOfASignalThroughDeepLayers) {
  torch::nn::Sequential stack;
  for (int layer = 0; layer < 20; ++layer) {
    stack->push_back(ConvBlock(ConvBlockOptions(48, 48).norm(Norm::none)));
  }
  initialise(*stack, seeded(5));
  const auto x = torch::randn({1, 48, 12, 12}, seeded(6));
  const auto ratio = variance(stack->forward(x)) / variance(x);
  EXPECT_GT(ratio, 0.1);
  EXPECT_LT(ratio, 10.0);
}

}  // namespace
}  // namespace hyperdefect::nn
