// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <optional>

#include "hyperdefect/model/band_transform.h"
#include "hyperdefect/model/preprocess_options.h"
#include "hyperdefect/spectral/moments.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::model {

/// The spectral side of a detector: a cube's bands are matched to the model's, transformed, binned and
/// partially whitened onto principal components. Its statistics are buffers, so that they travel with the
/// model.
///
/// Shapes: B bands of the cube, M bands of the model, F features (bins, or M without binning), K components.
class PreprocessImpl : public torch::nn::Module {
 public:
  PreprocessImpl(const PreprocessOptions& options, spectral::Bands bands);

  const spectral::Bands& bands() const { return transform_.bands(); }
  std::int64_t features() const { return transform_.features(); }
  std::int64_t components() const { return components_; }

  /// Matches a cube's bands to bands(). @throws ModelError naming what does not match.
  void bind(const spectral::Bands& cube) { transform_.bind(cube); }

  /// The model's bands of the bound cube: (B, rows, cols) -> (M, rows, cols).
  torch::Tensor matched(const torch::Tensor& values) const { return transform_.matched(values); }
  /// (M, rows, cols) -> (F, rows, cols): the transform and the bins.
  torch::Tensor transformed(const torch::Tensor& matched) const { return transform_.transformed(matched); }
  /// The block on the device of the statistics.
  spectral::Block on_device(const spectral::Block& block) const;
  /// A block of the bound cube (B, rows, cols) -> its whitened components (K, rows, cols), on the device of
  /// the statistics.
  spectral::Block prepare(const spectral::Block& block) const;
  /// (F, rows, cols) -> (K, rows, cols): partially whitened; zero where valid (rows, cols) is false.
  torch::Tensor whitened(const torch::Tensor& transformed, const torch::Tensor& valid) const;
  /// (F, rows, cols) -> (K, rows, cols): what a change of the transformed values changes in the components.
  torch::Tensor whitened_change(const torch::Tensor& change) const;
  /// (F, K): leads from components back to the band axis ('ZCA') and keeps all distances, so that a
  /// convolution along the bands has neighbours to look at.
  torch::Tensor band_axes() const { return axes_; }
  /// (F): the mean spectrum of the training data, in physical units.
  torch::Tensor mean_spectrum() const;
  /// (K, F): what a change of the transformed values changes in the components.
  torch::Tensor to_components() const { return to_components_; }
  /// (K), descending: the variances along the principal axes before whitening; 0 for components that the
  /// training data does not have.
  torch::Tensor variances() const { return variances_; }
  /// (K, rows, cols) -> (F, rows, cols), or both with a leading N: the spectra, in physical units, that the
  /// components stand for.
  torch::Tensor spectra(const torch::Tensor& components) const;
  /// (F, rows, cols) transformed values -> the same in physical units.
  torch::Tensor physical(const torch::Tensor& transformed) const { return transform_.physical(transformed); }
  /// (F, rows, cols) -> (rows, cols): Mahalanobis distance to the training mean.
  torch::Tensor rx_distance(const torch::Tensor& transformed) const;

  /// A statistics pass over transformed values (F, rows, cols) and their validity.
  void observe(const torch::Tensor& transformed, const torch::Tensor& valid);
  /// Turns what was observed into the buffers. @throws InputError where fewer than two pixels were valid.
  void finish();
  /// From here on observe() leaves out what lies farther from the mean than trim_fraction of these spectra
  /// (F, n) do.
  void trim_like(const torch::Tensor& spectra);

  void pretty_print(std::ostream& stream) const override;

 private:
  void register_statistics();

  PreprocessOptions options_;
  BandTransform transform_;
  std::int64_t components_;
  std::optional<spectral::Moments> moments_;
  std::optional<double> farthest_;
  torch::Tensor mean_;
  torch::Tensor to_components_;
  torch::Tensor from_components_;
  torch::Tensor axes_;
  torch::Tensor variances_;
  torch::Tensor rx_precision_;
};
TORCH_MODULE(Preprocess);

}  // namespace hyperdefect::model
