// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>

#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/preprocess/preprocessed.h"
#include "hyperdefect/preprocess/spectrum_sample.h"

namespace hyperdefect::detector {

/// What an anomaly score is made of, before its parts are normalised and added up.
struct ScoreParts {
  /// (sizes, rows, cols): root mean square of the residual over the components, one map for each mask size.
  torch::Tensor residual;
  /// (components, rows, cols): the residual, averaged over the mask sizes.
  torch::Tensor difference;
  /// (rows, cols): spectral angle between measured and reconstructed spectrum in radians, NaN if there is
  /// none; not defined if its weight is 0.
  torch::Tensor sad_rad;
  /// (rows, cols): RX distance of the transformed spectrum; not defined if its weight is 0.
  torch::Tensor rx;
};

/// Adds the parts up: each is smoothed, divided by its mean over the training data (never over the map that
/// is scored), and weighted. The largest of the residuals for several mask sizes counts. The means, and the
/// covariance of the residual for its Mahalanobis distance, are buffers.
///
///     ResidualScore score(ScoreOptions(), 1, 30);
///     score->accumulate(parts, block);  // for each training block
///     score->finalise();
///     const auto map = score(parts, block.valid());
class ResidualScoreImpl : public torch::nn::Module {
 public:
  /// @param sizes number of residual maps.
  ResidualScoreImpl(const ScoreOptions& options, std::int64_t sizes, std::int64_t components);

  /// Gathers the parts at 65,536 of the pixels that count; finalise() turns them into the buffers.
  void accumulate(const ScoreParts& parts, const preprocess::Preprocessed& block);
  void finalise();

  /// (rows, cols): the score. @param valid (rows, cols) bool; invalid pixels do not reach their neighbours.
  torch::Tensor forward(const ScoreParts& parts, const torch::Tensor& valid) const;

  /// Pixels around a pixel that its score depends on, beside what the parts depend on.
  std::int64_t halo() const;

 private:
  torch::Tensor smoothed(const torch::Tensor& map, const torch::Tensor& valid) const;
  torch::Tensor residual_of(const torch::Tensor& residuals) const;
  torch::Tensor mahalanobis(const torch::Tensor& difference) const;
  void fit_mahalanobis(const torch::Tensor& difference);

  ScoreOptions options_;
  torch::Tensor size_means_;
  torch::Tensor part_means_;
  torch::Tensor difference_mean_;
  torch::Tensor difference_precision_;
  preprocess::SpectrumSample sample_;
};
TORCH_MODULE(ResidualScore);

}  // namespace hyperdefect::detector
