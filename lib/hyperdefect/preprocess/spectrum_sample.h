// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "hyperdefect/core/window.h"

namespace hyperdefect::preprocess {

class Preprocessed;

/// An even random sample of unknown many spectra, or of whatever else is known of each pixel: of all pixels
/// that are offered, those with the lowest ranks stay. A rank follows from the pixel's place and its cube, so
/// that the sample does not depend on how the cubes are cut.
class SpectrumSample {
 public:
  explicit SpectrumSample(std::int64_t capacity) : capacity_(capacity) {}

  /// Offers the pixels of maps (channels, rows, cols) of a block that count.
  void add(const torch::Tensor& maps, const Preprocessed& block);
  /// The same for maps that lie at a window of a cube. @param counted (rows, cols) bool.
  void add(const torch::Tensor& maps, const torch::Tensor& counted, const Window& window, std::int64_t cube);

  /// How many pixels are kept.
  std::int64_t count() const { return spectra_.defined() ? spectra_.size(0) : 0; }
  /// (count, channels) on the CPU, in the order of their ranks; undefined if no block was added.
  const torch::Tensor& spectra() const { return spectra_; }

 private:
  std::int64_t capacity_;
  torch::Tensor spectra_;
  torch::Tensor ranks_;
};

}  // namespace hyperdefect::preprocess
