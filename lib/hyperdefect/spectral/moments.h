// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "hyperdefect/spectral/types.h"

namespace hyperdefect::spectral {

/// Mean and covariance of spectra, gathered in one pass, in double. Each batch is centred on its own mean
/// before it is squared and then merged (Chan, Golub and LeVeque, 1979), so that a large common offset costs
/// no digits.
class Moments {
 public:
  explicit Moments(std::int64_t bands);

  /// Adds spectra (n, bands) of any number type.
  void add(const torch::Tensor& values);
  /// Adds the valid pixels of a block.
  void add(const Block& block);
  /// Adds what another one, of as many bands, has seen.
  void merge(const Moments& other);

  std::int64_t bands() const { return mean_.size(0); }
  /// How many spectra were added.
  std::int64_t count() const { return count_; }
  /// (bands) double. @throws InputError if no spectrum was added.
  torch::Tensor mean() const;
  /// (bands, bands) double, divided by count - 1 (sample) or by count.
  /// @throws InputError if fewer than two spectra (sample) or none were added.
  torch::Tensor covariance(bool sample = true) const;

 private:
  void add_columns(const torch::Tensor& columns);
  void merge(std::int64_t count, const torch::Tensor& mean, const torch::Tensor& scatter);

  std::int64_t count_ = 0;
  torch::Tensor mean_;
  torch::Tensor scatter_;
};

/// Covariance of the sensor's noise, from the differences of horizontal neighbours divided by sqrt(2): what
/// the scene itself contributes cancels where it changes slowly (Green et al., "A transformation for ordering
/// multispectral data in terms of image quality", 1988). A pair across two blocks is not seen.
class NoiseMoments {
 public:
  explicit NoiseMoments(std::int64_t bands) : differences_(bands) {}

  /// Adds the pairs of the block of which both pixels are valid.
  void add(const Block& block);
  void merge(const NoiseMoments& other) { differences_.merge(other.differences_); }

  /// How many pairs were added.
  std::int64_t count() const { return differences_.count(); }
  /// (bands, bands) double. @throws InputError if fewer than two pairs were added.
  torch::Tensor covariance() const { return differences_.covariance() / 2; }

 private:
  Moments differences_;
};

}  // namespace hyperdefect::spectral
