// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/side_by_side.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::model {
namespace {

TEST(SideBySide, EachTaskRunsOnce) {
  for (const std::int64_t count : {0, 1, 2, 7}) {
    std::vector<int> calls(static_cast<std::size_t>(count), 0);
    side_by_side(torch::kCPU, count, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
    EXPECT_EQ(calls, std::vector<int>(static_cast<std::size_t>(count), 1));
  }
}

TEST(SideBySide, TasksSeeTheGradientModeOfTheCaller) {
  const auto modes = [] {
    std::vector<int> seen(4);
    side_by_side(torch::kCPU, 4, [&](std::int64_t i) {
      seen[static_cast<std::size_t>(i)] = torch::GradMode::is_enabled() ? 1 : 0;
    });
    return seen;
  };
  EXPECT_EQ(modes(), std::vector<int>(4, 1));
  const torch::NoGradGuard no_gradient;
  EXPECT_EQ(modes(), std::vector<int>(4, 0));
}

TEST(SideBySide, GradientsOfDisjointParametersAreThoseOfOneAfterTheOther) {
  torch::manual_seed(1);
  std::vector<torch::nn::Linear> layers;
  for (int i = 0; i < 4; ++i) {
    layers.emplace_back(30, 20);
  }
  const auto x = torch::randn({50, 30});
  const auto gradient = [&](std::int64_t i) {
    auto& layer = layers[static_cast<std::size_t>(i)];
    layer->zero_grad();
    layer(x).tanh().square().sum().backward();
    return layer->weight.grad().clone();
  };
  std::vector<torch::Tensor> wanted;
  for (std::int64_t i = 0; i < 4; ++i) {
    wanted.push_back(gradient(i));
  }
  std::vector<torch::Tensor> got(4);
  side_by_side(torch::kCPU, 4, [&](std::int64_t i) { got[static_cast<std::size_t>(i)] = gradient(i); });
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(torch::allclose(got[i], wanted[i], 1e-5, 1e-6)) << i;
  }
}

TEST(SideBySide, WhatATaskThrowsArrives) {
  HYPERDEFECT_EXPECT_ERROR(side_by_side(torch::kCPU, 4,
                                        [](std::int64_t i) {
                                          if (i == 3) {
                                            throw InputError("the fourth");
                                          }
                                        }),
                           InputError, "the fourth");
}

TEST(SideBySide, NoMoreAtOnceThanThreads) {
  EXPECT_EQ(at_once(torch::kCPU, 1), 1);
  EXPECT_EQ(at_once(torch::kCPU, 1000), at::get_num_threads());
  EXPECT_EQ(at_once(torch::kCUDA, 1000), 1);
}

}  // namespace
}  // namespace hyperdefect::model
