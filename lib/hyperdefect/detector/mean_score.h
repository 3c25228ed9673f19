// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::detector {

/// The mean of the scores of a calibration pass, which scores are divided by.
///
///     MeanScore mean;
///     mean.add(score.map.masked_select(block.counted()));  // for each block
///     const double divisor = mean.take();
class MeanScore {
 public:
  /// Scores (n) of a block.
  void add(const torch::Tensor& scores) {
    sum_ += scores.sum(torch::kDouble).item<double>();
    count_ += scores.numel();
  }
  /// The mean of all, 1 if it is not positive; begins anew.
  double take() {
    const double mean = count_ > 0 ? sum_ / static_cast<double>(count_) : 1.0;
    *this = {};
    return mean > 0 ? mean : 1.0;
  }

 private:
  double sum_ = 0.0;
  std::int64_t count_ = 0;
};

}  // namespace hyperdefect::detector
