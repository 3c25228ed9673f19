// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/weight_average.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <gtest/gtest.h>

#include "support/module_state.h"

namespace hyperdefect::nn {
namespace {

void fill(torch::nn::Module& module, double value) {
  const torch::NoGradGuard no_gradient;
  for (auto& parameter : module.parameters()) {
    parameter.fill_(value);
  }
}

double weight_of(const torch::nn::Linear& module) {
  return module->weight.mean().item<double>();
}

TEST(WeightAverage, BeginsWithACopyAndSettlesToItsDecay) {
  torch::nn::Linear current(2, 2), average(2, 2);
  WeightAverage averaging(0.9);
  fill(*current, 3.0);
  averaging->update(*average, *current);
  EXPECT_NEAR(weight_of(average), 3.0, 1e-6);
  for (int i = 0; i < 500; ++i) {
    averaging->update(*average, *current);
  }
  fill(*current, 4.0);
  averaging->update(*average, *current);
  EXPECT_NEAR(weight_of(average), 3.1, 1e-5);
}

TEST(WeightAverage, FollowsQuicklyAtFirst) {
  torch::nn::Linear current(2, 2), average(2, 2);
  WeightAverage averaging(0.99);
  fill(*current, 0.0);
  averaging->update(*average, *current);
  fill(*current, 1.0);
  averaging->update(*average, *current);
  EXPECT_NEAR(weight_of(average), 10.0 / 11, 1e-6);
}

TEST(WeightAverage, TakesStatisticsAndCountsToo) {
  torch::nn::BatchNorm2d current(3), average(3);
  current->train();
  current->forward(5 + torch::randn({4, 3, 8, 8}));
  WeightAverage(0.9)->update(*average, *current);
  EXPECT_TRUE(torch::equal(average->running_mean, current->running_mean));
  EXPECT_TRUE(torch::equal(average->num_batches_tracked, current->num_batches_tracked));
}

TEST(WeightAverage, GoesOnFromItsState) {
  torch::nn::Linear current(2, 2), average(2, 2);
  WeightAverage averaging(0.99), resumed(0.99);
  averaging->update(*average, *current);
  averaging->update(*average, *current);
  test::load_state(*resumed, test::state_of(*averaging));
  torch::nn::Linear other(2, 2);
  test::load_state(*other, test::state_of(*average));
  fill(*current, 1.0);
  averaging->update(*average, *current);
  resumed->update(*other, *current);
  EXPECT_EQ(weight_of(average), weight_of(other));
}

}  // namespace
}  // namespace hyperdefect::nn
