// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace hyperdefect::nn {

/// The statistics of a network's batch normalisations, apart for each of several ways in which its inputs are
/// drawn. If an input is drawn at random in training, the running statistics are a mixture over all draws and
/// fit none of them; gathered for one draw over the data that is scored later, they do.
///
///     NormStatistics statistics(2, *network);
///     statistics->begin(*network);
///     for (std::int64_t draw = 0; draw < 2; ++draw) {
///       statistics->gather(draw, x.size(2) * x.size(3), [&] { return network(x); });
///     }
///     const auto y = statistics->apply(0, [&] { return network(x); });
class NormStatisticsImpl : public torch::nn::Module {
 public:
  /// @param draws how many ways there are.
  /// @param network what contains the normalisations (BatchNorm), held by the caller.
  NormStatisticsImpl(std::int64_t draws, const torch::nn::Module& network);

  /// Begins new averages: until the first gather(), each draw has the statistics that the network has now.
  void begin(const torch::nn::Module& network);
  /// Calls `forward`, in which the network normalises with the statistics of what it is given, and takes them
  /// into the draw's average over all calls, weighted by `pixels`. @return what forward returns.
  torch::Tensor gather(std::int64_t draw, std::int64_t pixels, const std::function<torch::Tensor()>& forward);
  /// Calls `forward`, in which the network normalises with the statistics of the draw. @return what it
  /// returns.
  torch::Tensor apply(std::int64_t draw, const std::function<torch::Tensor()>& forward) const;

 private:
  /// (draws, all channels)
  torch::Tensor means_;
  torch::Tensor variances_;
  std::vector<std::int64_t> pixels_;
};
TORCH_MODULE(NormStatistics);

}  // namespace hyperdefect::nn
