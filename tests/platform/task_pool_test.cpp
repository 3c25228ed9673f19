// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/platform/task_pool.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/conv.h>

#include <functional>
#include <string>
#include <vector>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::platform {
namespace {

/// Two threads at least, whatever the machine has.
class SideBySideTest : public ::testing::Test {
 protected:
  SideBySideTest() : before_(at::get_num_threads()) { at::set_num_threads(4); }
  ~SideBySideTest() override { at::set_num_threads(before_); }

 private:
  int before_;
};

std::vector<std::function<void()>> tasks_of(std::size_t count, const std::function<void(std::size_t)>& task) {
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; i < count; ++i) {
    tasks.emplace_back([task, i] { task(i); });
  }
  return tasks;
}

TEST_F(SideBySideTest, EachTaskRunsOnce) {
  TaskPool task_pool(torch::kCPU);
  for (const std::size_t count : {0U, 1U, 2U, 9U}) {
    std::vector<int> calls(count, 0);
    task_pool.run(tasks_of(count, [&](std::size_t i) { ++calls[i]; }));
    EXPECT_EQ(calls, std::vector<int>(count, 1));
  }
}

TEST_F(SideBySideTest, SharesTheThreadsOutAndGivesThemBack) {
  {
    TaskPool task_pool(torch::kCPU);
    std::vector<int> threads(2);
    task_pool.run(tasks_of(2, [&](std::size_t i) { threads[i] = at::get_num_threads(); }));
    EXPECT_EQ(threads, (std::vector<int>{2, 2}));
    task_pool.run(tasks_of(1, [&](std::size_t i) { threads[i] = at::get_num_threads(); }));
    EXPECT_EQ(threads[0], 4);
    std::vector<int> more(9);
    task_pool.run(tasks_of(9, [&](std::size_t i) { more[i] = at::get_num_threads(); }));
    EXPECT_EQ(more, std::vector<int>(9, 1));
  }
  EXPECT_EQ(at::get_num_threads(), 4);
}

TEST_F(SideBySideTest, OnAGpuTasksFollowOneAnother) {
  TaskPool task_pool(torch::kCUDA);
  std::vector<std::size_t> order;
  task_pool.run(tasks_of(5, [&](std::size_t i) { order.push_back(i); }));
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST_F(SideBySideTest, TasksHaveTheGradientModeOfTheCaller) {
  TaskPool task_pool(torch::kCPU);
  const auto modes = [&] {
    std::vector<int> seen(4);
    task_pool.run(tasks_of(4, [&](std::size_t i) { seen[i] = torch::GradMode::is_enabled() ? 1 : 0; }));
    return seen;
  };
  EXPECT_EQ(modes(), std::vector<int>(4, 1));
  const torch::NoGradGuard no_gradient;
  EXPECT_EQ(modes(), std::vector<int>(4, 0));
}

TEST_F(SideBySideTest, NetworksLearnWhatTheyWouldOneAfterTheOther) {
  torch::manual_seed(1);
  std::vector<torch::nn::Conv2d> layers;
  for (int i = 0; i < 3; ++i) {
    layers.emplace_back(torch::nn::Conv2dOptions(8, 8, 3).padding(1));
  }
  const auto x = torch::randn({2, 8, 30, 30});
  const auto gradient = [&](std::size_t i) {
    layers[i]->zero_grad();
    layers[i](x).tanh().square().sum().backward();
    return layers[i]->weight.grad().clone();
  };
  std::vector<torch::Tensor> got(3);
  TaskPool task_pool(torch::kCPU);
  task_pool.run(tasks_of(3, [&](std::size_t i) { got[i] = gradient(i); }));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(torch::allclose(got[i], gradient(i), 1e-4, 1e-4)) << i;
  }
}

TEST_F(SideBySideTest, ThrowsWhatTheFirstTaskThrewAfterAllHaveEnded) {
  TaskPool task_pool(torch::kCPU);
  std::vector<int> ended(6, 0);
  HYPERDEFECT_EXPECT_ERROR(task_pool.run(tasks_of(6,
                                                  [&](std::size_t i) {
                                                    ended[i] = 1;
                                                    if (i == 2 || i == 5) {
                                                      throw InputError("task " + std::to_string(i));
                                                    }
                                                  })),
                           InputError, "task 2");
  EXPECT_EQ(ended, std::vector<int>(6, 1));
}

}  // namespace
}  // namespace hyperdefect::platform
