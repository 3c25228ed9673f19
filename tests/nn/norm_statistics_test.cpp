// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/norm_statistics.h"

#include <torch/nn/modules/container/sequential.h>

#include <gtest/gtest.h>

#include "hyperdefect/nn/batch_norm.h"
#include "support/module_checks.h"
#include "support/seeded.h"

namespace hyperdefect::nn {
namespace {

torch::nn::Sequential two_norms() {
  torch::nn::Sequential network(BatchNorm(3), BatchNorm(3));
  network->eval();
  return network;
}

/// (1, 3, rows, cols) around `mean`.
torch::Tensor features(std::int64_t rows, std::int64_t cols, double mean, std::uint64_t seed) {
  auto generator = test::seeded(seed);
  return torch::randn({1, 3, rows, cols}, generator) * (1 + mean) + mean;
}

torch::Tensor gathered(NormStatistics& statistics, torch::nn::Sequential& network, std::int64_t draw,
                       const torch::Tensor& x) {
  const torch::NoGradGuard no_gradient;
  return statistics->gather(draw, x.size(2) * x.size(3), [&] { return network->forward(x); });
}

torch::Tensor applied(const NormStatistics& statistics, torch::nn::Sequential& network, std::int64_t draw,
                      const torch::Tensor& x) {
  const torch::NoGradGuard no_gradient;
  return statistics->apply(draw, [&] { return network->forward(x); });
}

TEST(NormStatistics, ScoresABlockLikeItsOwnStatistics) {
  auto network = two_norms();
  NormStatistics statistics(2, *network);
  const auto x = features(40, 50, 3, 1);
  statistics->begin(*network);
  const auto own = gathered(statistics, network, 0, x);
  EXPECT_NEAR(own.mean().item<double>(), 0.0, 1e-4);
  EXPECT_NEAR(own.var().item<double>(), 1.0, 1e-2);
  gathered(statistics, network, 1, features(40, 50, -2, 2));
  test::expect_close(applied(statistics, network, 0, x), own, 5e-3);
}

TEST(NormStatistics, NormalisesEachLayerOfManyWithItsOwn) {
  auto network = two_norms();
  {
    const torch::NoGradGuard no_gradient;
    auto& first = *network->ptr(0)->as<BatchNorm>();
    first.weight.copy_(torch::tensor({2.0F, 3.0F, 4.0F}));
    first.bias.copy_(torch::tensor({-1.0F, 5.0F, 9.0F}));
  }
  NormStatistics statistics(1, *network);
  statistics->begin(*network);
  gathered(statistics, network, 0, features(40, 50, 1, 1));
  const auto means = statistics->named_buffers()["means"].squeeze(0);
  const auto variances = statistics->named_buffers()["variances"].squeeze(0);
  // The second layer sees what the first one made: its bias is the mean, its weight the deviation.
  test::expect_close(means.slice(0, 3), torch::tensor({-1.0, 5.0, 9.0}), 1e-4);
  test::expect_close(variances.slice(0, 3), torch::tensor({4.0, 9.0, 16.0}), 1e-2);
}

TEST(NormStatistics, WeighBlocksByTheirPixels) {
  torch::nn::Sequential network((BatchNorm(3)));
  network->eval();
  NormStatistics statistics(1, *network);
  statistics->begin(*network);
  const auto small = features(10, 10, 5, 1);
  const auto large = features(10, 30, 0, 2);
  gathered(statistics, network, 0, small);
  gathered(statistics, network, 0, large);
  const auto all = torch::cat({small, large}, 3);
  test::expect_close(statistics->named_buffers()["means"].squeeze(0), all.mean({0, 2, 3}), 1e-5);
}

TEST(NormStatistics, BeginWithThoseOfTheNetwork) {
  auto network = two_norms();
  const auto x = features(12, 12, 1, 3);
  network->train();
  network->forward(x);
  network->eval();
  NormStatistics statistics(2, *network);
  statistics->begin(*network);
  test::expect_close(applied(statistics, network, 1, x), network->forward(x), 0);
}

TEST(NormStatistics, BeginForgetsWhatWasGathered) {
  auto network = two_norms();
  NormStatistics statistics(1, *network);
  const auto x = features(12, 12, 1, 3);
  statistics->begin(*network);
  gathered(statistics, network, 0, features(50, 50, 9, 4));
  statistics->begin(*network);
  const auto own = gathered(statistics, network, 0, x);
  test::expect_close(applied(statistics, network, 0, x), own, 2e-2);
}

TEST(NormStatistics, LeaveTheNetworkAsItIs) {
  auto network = two_norms();
  NormStatistics statistics(1, *network);
  const auto x = features(12, 12, 4, 3);
  const auto wanted = network->forward(x);
  statistics->begin(*network);
  gathered(statistics, network, 0, x);
  EXPECT_FALSE(torch::equal(applied(statistics, network, 0, x), wanted));
  EXPECT_TRUE(torch::equal(network->forward(x), wanted));
}

}  // namespace
}  // namespace hyperdefect::nn
