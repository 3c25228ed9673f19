// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "hyperdefect/spectral/types.h"

namespace hyperdefect::spectral {

/// Which part of a band's variance is noise: half the mean squared difference of neighbouring pixels, as in
/// NoiseMoments, over the variance of the pixels. It is 1 if pixels know nothing of their neighbours, and
/// near 0 if the scene changes slowly. The smaller differences count, along rows or along
/// columns, so that stripes are not noise. Values are clipped to the 1 % and 99 % quantiles of the band in
/// the block: a few dead, saturated or anomalous pixels must not pass for the noise of all.
class NoiseFraction {
 public:
  explicit NoiseFraction(std::int64_t bands);

  /// Adds the valid pixels of a block. Pairs across two blocks are not seen.
  void add(const Block& block);

  /// (bands) double; 0 for a band that does not vary, or if no pair of neighbours was valid.
  torch::Tensor share() const;

 private:
  /// Half the squared differences of the valid pairs, summed up, and how many there were.
  struct Pairs {
    torch::Tensor half_squares;
    std::int64_t count = 0;

    void add(const torch::Tensor& values, const torch::Tensor& valid, std::int64_t axis);
  };

  Pairs along_rows_;
  Pairs along_columns_;
  /// Squared distances from the mean of the block, summed up.
  torch::Tensor squares_;
  std::int64_t pixels_ = 0;
};

}  // namespace hyperdefect::spectral
