// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/norm_statistics.h"

#include <gtest/gtest.h>

#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

torch::nn::Sequential two_norms() {
  torch::nn::Sequential network(torch::nn::BatchNorm2d(3), torch::nn::BatchNorm2d(3));
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
  return statistics->gather(*network, draw, x.size(2) * x.size(3), [&] { return network->forward(x); });
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
  statistics->apply(*network, 0);
  test::expect_close(network->forward(x), own, 5e-3);
}

TEST(NormStatistics, WeighBlocksByTheirPixels) {
  torch::nn::Sequential network((torch::nn::BatchNorm2d(3)));
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
  const auto wanted = network->forward(x);
  NormStatistics statistics(2, *network);
  statistics->begin(*network);
  statistics->apply(*network, 1);
  test::expect_close(network->forward(x), wanted, 0);
}

TEST(NormStatistics, BeginForgetsWhatWasGathered) {
  auto network = two_norms();
  NormStatistics statistics(1, *network);
  const auto x = features(12, 12, 1, 3);
  statistics->begin(*network);
  gathered(statistics, network, 0, features(50, 50, 9, 4));
  statistics->begin(*network);
  const auto own = gathered(statistics, network, 0, x);
  statistics->apply(*network, 0);
  test::expect_close(network->forward(x), own, 2e-2);
}

}  // namespace
}  // namespace hyperdefect::model
