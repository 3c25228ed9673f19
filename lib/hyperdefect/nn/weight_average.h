// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

namespace hyperdefect::nn {

/// Keeps in one module the exponential average of another one's weights and statistics (Polyak averaging),
/// which scores more steadily than the weights of any single step. The average follows quickly at first. The
/// number of steps taken is a buffer, so that training can go on from a checkpoint.
///
///     WeightAverage averaging(0.99);
///     for (std::int64_t step = 0; step < 100; ++step) {
///       loss_of_step().backward();
///       optimizer.step();
///       averaging->update(*average, *network);
///     }
class WeightAverageImpl : public torch::nn::Module {
 public:
  explicit WeightAverageImpl(double decay);
  /// Moves `average` towards `current`; both are built alike. The first call copies.
  void update(torch::nn::Module& average, const torch::nn::Module& current);

 private:
  double decay_;
  torch::Tensor steps_;
};
TORCH_MODULE(WeightAverage);

}  // namespace hyperdefect::nn
