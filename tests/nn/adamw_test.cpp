// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/adamw.h"

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <gtest/gtest.h>

namespace hyperdefect::nn {
namespace {

/// A convolution whose gradients lie channels-last, a layer that gets a gradient every other step, and one
/// that gets none.
struct Layers {
  torch::nn::Conv2d conv{torch::nn::Conv2dOptions(3, 4, 3)};
  torch::nn::Linear sometimes{4, 2};
  torch::nn::Linear never{4, 2};

  std::vector<torch::Tensor> parameters() const {
    auto all = conv->parameters();
    for (const auto* layer : {&sometimes, &never}) {
      for (const auto& parameter : (*layer)->parameters()) {
        all.push_back(parameter);
      }
    }
    return all;
  }

  torch::Tensor loss(const torch::Tensor& images, bool both) {
    const auto pooled = conv(images).relu().mean({2, 3});
    return both ? sometimes(pooled).square().sum() : pooled.square().sum();
  }
};

void train(Layers& layers, torch::optim::Optimizer& optimizer, int steps) {
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    const auto images = torch::linspace(-1, 1 + step, 2 * 3 * 8 * 8).view({2, 3, 8, 8});
    layers.loss(images.contiguous(torch::MemoryFormat::ChannelsLast), step % 2 == 0).backward();
    optimizer.step();
  }
}

Layers layers_of_seed() {
  torch::manual_seed(5);
  return {};
}

TEST(AdamW, TakesTheStepsOfTorchs) {
  const auto options = torch::optim::AdamWOptions(0.01).weight_decay(0.1).betas({0.8, 0.95}).eps(1e-7);
  auto ours = layers_of_seed();
  auto torchs = layers_of_seed();
  const auto before = layers_of_seed().parameters();
  AdamW optimizer(ours.parameters(), options);
  torch::optim::AdamW reference(torchs.parameters(), options);
  train(ours, optimizer, 7);
  train(torchs, reference, 7);
  const auto found = ours.parameters();
  const auto expected = torchs.parameters();
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found[i].allclose(expected[i], 1e-5, 1e-6)) << i;
    EXPECT_EQ(found[i].equal(before[i]), i >= 4) << i;
  }
}

TEST(AdamW, RefusesWhatItDoesNotDo) {
  auto layers = layers_of_seed();
  AdamW optimizer(layers.parameters(), torch::optim::AdamWOptions(0.01).amsgrad(true));
  EXPECT_THROW(optimizer.step(), c10::Error);
  AdamW plain(layers.parameters());
  EXPECT_THROW(plain.step([] { return torch::zeros({}); }), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::nn
