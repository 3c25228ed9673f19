// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "hyperdefect/core/window.h"

namespace hyperdefect::model {

/// An even random sample of unknown many spectra: of all that are offered, those with the lowest ranks stay.
/// A rank follows from the place of the pixel in its image and the number of the block, so that equal passes
/// give equal samples.
class SpectrumSample {
 public:
  explicit SpectrumSample(std::int64_t capacity) : capacity_(capacity) {}

  /// Offers the valid (rows, cols) spectra of a block (channels, rows, cols) that lies at the window.
  void add(const torch::Tensor& values, const torch::Tensor& valid, const Window& window);

  /// How many spectra are kept.
  std::int64_t count() const { return spectra_.defined() ? spectra_.size(0) : 0; }
  /// (count, channels), in the order of their ranks; undefined where no block was added.
  const torch::Tensor& spectra() const { return spectra_; }

 private:
  std::int64_t capacity_;
  std::int64_t blocks_ = 0;
  torch::Tensor spectra_;
  torch::Tensor ranks_;
};

}  // namespace hyperdefect::model
