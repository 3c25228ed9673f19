// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/preprocess/preprocess_options.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::preprocess {

/// From the bands of a model to the features that a detector sees, without any statistics: values are
/// transformed and binned.
///
/// Shapes: M bands of the model, F features (bins, or M without binning).
class BandTransform {
 public:
  BandTransform(const PreprocessOptions& options, spectral::Bands bands);

  const spectral::Bands& bands() const { return bands_; }
  std::int64_t features() const { return features_; }
  /// (F) double: the mean wavelength of each feature's bands in nanometres; evenly spaced from 400 to 1000
  /// if the bands state none.
  torch::Tensor positions_nm() const;

  /// (M, rows, cols) -> (F, rows, cols): the transform and the bins.
  torch::Tensor transformed(const torch::Tensor& matched) const;
  /// (F, rows, cols) transformed values -> the same in physical units.
  torch::Tensor physical(const torch::Tensor& transformed) const;

 private:
  torch::Tensor binned(const torch::Tensor& values) const;

  PreprocessOptions options_;
  spectral::Bands bands_;
  std::int64_t features_;
  torch::Tensor bin_of_band_;
};

}  // namespace hyperdefect::preprocess
