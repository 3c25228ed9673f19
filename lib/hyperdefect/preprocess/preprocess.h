// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <optional>

#include "hyperdefect/preprocess/band_transform.h"
#include "hyperdefect/preprocess/preprocess_options.h"
#include "hyperdefect/preprocess/spectrum_sample.h"
#include "hyperdefect/spectral/moments.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::preprocess {

class Preprocessed;

/// How many leading principal components are taken, and how white they are: partial whitening as in
/// spectral/whitening.h.
struct ComponentSpec {
  std::int64_t count = 1;
  double whitening_exponent = 0.0;
};

/// The spectral side of all detectors, fitted and applied once: the bands of a cube become features
/// (transform and bins) and principal components, of which each detector takes as many, and as white, as it
/// likes. The statistics are buffers, so that they travel with the model.
///
/// Shapes: M bands of the model, F features (bins, or M without binning), K components.
///
///     Preprocess preprocess(options, bands, 30);
///     do {
///       preprocess->accumulate(Preprocessed(*preprocess, block));
///     } while (preprocess->finalise());
///     const auto components = Preprocessed(*preprocess, block).components({30, 0.25});
class PreprocessImpl : public torch::nn::Module {
 public:
  /// Spectra that stand for the training data.
  static constexpr std::int64_t kSampledSpectra = 1024;

  /// @param components the most that any detector takes; 0 if none takes any.
  PreprocessImpl(const PreprocessOptions& options, spectral::Bands bands, std::int64_t components);

  const PreprocessOptions& options() const { return options_; }
  const spectral::Bands& bands() const { return transform_.bands(); }
  std::int64_t features() const { return transform_.features(); }
  /// Whether the features are the values of the bands, as they are, and none is trimmed.
  bool keeps_values() const;
  torch::Device device() const { return mean_.device(); }
  /// (F) double: the mean wavelength of each feature's bands; see BandTransform::positions_nm().
  torch::Tensor positions_nm() const { return transform_.positions_nm(); }
  /// The components that the options describe, which networks take.
  ComponentSpec network_components() const {
    return limited({options_.components, options_.whitening_exponent});
  }
  /// The same with no more components than there are.
  ComponentSpec limited(ComponentSpec spec) const;

  /// A pass over the features of counted pixels. finalise() closes it.
  void accumulate(const Preprocessed& block);
  /// @return whether another pass over all blocks is wanted, to leave out the pixels farthest from the mean
  /// (trim_fraction). @throws InputError if fewer than two pixels were counted, or all have one spectrum and
  /// components are wanted.
  bool finalise();

  /// (F, rows, cols) -> (K, rows, cols): scores on the principal axes, not yet scaled; 0 if not valid.
  torch::Tensor scores(const torch::Tensor& features, const torch::Tensor& valid) const;
  /// The leading scores (K, rows, cols), scaled and limited as the components of this kind are.
  torch::Tensor components(const torch::Tensor& scores, const ComponentSpec& spec) const;
  /// (..., F, rows, cols) -> (..., K, rows, cols): what a change of the features changes in the components.
  torch::Tensor component_change(const torch::Tensor& change, const ComponentSpec& spec) const;
  /// (K) double: what the scores are multiplied by; see spectral::whitening_gains().
  torch::Tensor gains(const ComponentSpec& spec) const;
  /// (K, F): component_change() as a matrix.
  torch::Tensor to_components(const ComponentSpec& spec) const;
  /// (..., K, rows, cols) -> (..., F, rows, cols): the spectra, in physical units, that the components stand
  /// for.
  torch::Tensor spectra(const torch::Tensor& components, const ComponentSpec& spec) const;
  /// (F, K): leads from components back to the band axis and keeps all distances ('ZCA'), so that a
  /// convolution along the bands has neighbours to look at.
  torch::Tensor band_axes(const ComponentSpec& spec) const;
  /// (K) double, descending: the variances along the principal axes; 0 for those that the training data does
  /// not have.
  torch::Tensor variances(const ComponentSpec& spec) const { return variances_.narrow(0, 0, spec.count); }
  /// (kSampledSpectra, K): sampled training spectra; repeated if the pixels were fewer.
  torch::Tensor sampled(const ComponentSpec& spec) const;

  /// (M, rows, cols) -> (F, rows, cols).
  torch::Tensor features_of(const torch::Tensor& values) const { return transform_.transformed(values); }
  /// (F, rows, cols) features -> the same in physical units.
  torch::Tensor physical(const torch::Tensor& features) const { return transform_.physical(features); }
  /// (F): the mean spectrum of the training data, in physical units.
  torch::Tensor mean_spectrum() const;
  /// (F) and (F, F), double: the mean of the features, and the inverse of their covariance.
  const torch::Tensor& mean() const { return mean_; }
  const torch::Tensor& precision() const { return precision_; }
  /// What was added to the diagonal of a singular covariance before it was inverted, else 0; known after
  /// finalise().
  double ridge() const { return ridge_; }
  /// How many pixels were counted in the last pass.
  std::int64_t counted() const { return counted_; }
  /// (F, rows, cols) -> (rows, cols): Mahalanobis distance of the features to their mean.
  torch::Tensor rx_distance(const torch::Tensor& features) const;

  void pretty_print(std::ostream& stream) const override;

 private:
  void register_statistics();
  void trim();
  void keep_sample();

  PreprocessOptions options_;
  BandTransform transform_;
  std::int64_t components_;
  bool needs_components_;
  std::optional<spectral::Moments> moments_;
  SpectrumSample gathered_{kSampledSpectra};
  std::optional<double> farthest_;
  double ridge_ = 0.0;
  std::int64_t counted_ = 0;
  torch::Tensor mean_;
  torch::Tensor axes_;
  torch::Tensor variances_;
  torch::Tensor precision_;
  torch::Tensor sample_;
};
TORCH_MODULE(Preprocess);

}  // namespace hyperdefect::preprocess
