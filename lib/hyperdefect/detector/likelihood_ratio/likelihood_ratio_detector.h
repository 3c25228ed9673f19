// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "hyperdefect/detector/detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_options.h"
#include "hyperdefect/preprocess/spectrum_sample.h"
#include "hyperdefect/spectral/defect_likelihood.h"
#include "hyperdefect/spectral/normal_mixture.h"

namespace hyperdefect::detector {

/// Scores a pixel by how much likelier its spectrum is under "normal material and a smooth change of the
/// spectrum" than under "normal material". What a defect may look like is not learnt and no kind is named:
/// it is any relative change that is smooth over wavelength. For defect-free training cubes; no network.
///
/// The transformed spectra are projected onto the directions in which smooth changes stand out most from the
/// noise, which is estimated from neighbouring pixels. The evidence is a weighted sum of three logarithms of
/// likelihood ratios: of the pixel against the training spectra (a mixture of normal distributions, widened
/// by changes of brightness and slope); of the pixel less the median of its window against the same of the
/// training spectra; and of the pixel sharing its defect with its neighbours. Both distributions may be
/// widened by texture (spectral::with_texture): other pieces of a product have more of it. The score is the
/// softplus of the evidence: the negative logarithm of the probability that the pixel is normal, if both were
/// equally likely before; it is positive, so that it can be fused.
///
///     DetectorOptions options;
///     options.name = "likelihood_ratio";
///     options.preprocess.transform = preprocess::Transform::log;
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class LikelihoodRatioDetector : public Detector, private Statistics {
 public:
  LikelihoodRatioDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Statistics* statistics() override { return this; }
  Measurement measure(const preprocess::Preprocessed& block) const override;
  Score score(const preprocess::Preprocessed& block, const Measurement& measured) const override;
  ReceptiveField receptive_field() const override { return {1, reach() + 1}; }
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  /// What the passes gather.
  struct Gathered {
    explicit Gathered(std::int64_t features);
    preprocess::SpectrumSample differences;
    preprocess::SpectrumSample components;
    /// (features): of the squares of the features.
    torch::Tensor squares;
    std::int64_t count = 0;
  };

  void accumulate_features(const preprocess::Preprocessed& block) override;
  bool begin() override;
  void accumulate(const preprocess::Preprocessed& block) override;
  bool finalise() override;
  /// A pair of neighbours takes one pixel more than it counts for.
  std::int64_t reach_px() const override { return std::max<std::int64_t>(1, reach()); }

  spectral::DefectLikelihood registered(const std::string& name);
  torch::Tensor components_of(const preprocess::Preprocessed& block) const;
  torch::Tensor less_background(const torch::Tensor& components, const torch::Tensor& valid) const;
  void check_enough() const;
  void learn_projection();
  void learn_normal();
  /// @param differences (pixels, components) from the local background.
  std::optional<spectral::Texture> texture_of(const torch::Tensor& differences) const;
  torch::Tensor in_features(const torch::Tensor& covariance) const;
  torch::Tensor in_components(const torch::Tensor& covariance) const;
  torch::Tensor ratio(const torch::Tensor& components, const torch::Tensor& valid) const;
  std::int64_t reach() const { return options_.window_px / 2; }
  /// Of each of the two mixtures, texture included.
  std::int64_t parts() const;

  LikelihoodRatioOptions options_;
  std::int64_t components_;
  torch::Tensor projection_;
  spectral::DefectLikelihood global_;
  spectral::DefectLikelihood local_;
  std::optional<Gathered> gathered_;
};

}  // namespace hyperdefect::detector
