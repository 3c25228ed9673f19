// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "hyperdefect/model/band_transform.h"
#include "hyperdefect/model/detector.h"
#include "hyperdefect/model/spectrum_sample.h"
#include "hyperdefect/spectral/defect_likelihood.h"

namespace hyperdefect::model {

/// Scores a pixel by how much likelier its spectrum is under "normal material and a smooth change of the
/// spectrum" than under "normal material". What a defect may look like is not learnt and no kind is named:
/// it is any relative change that is smooth over wavelength. For defect-free training cubes; no network.
///
/// The transformed spectra are projected onto the directions in which smooth changes stand out most from the
/// noise, which is estimated from neighbouring pixels. The evidence is a weighted sum of three logarithms of
/// likelihood ratios: of the pixel against the training spectra (a mixture of normal distributions, widened
/// by changes of brightness and slope); of the pixel less the median of its window against the same of the
/// training spectra; and of the pixel sharing its defect with its neighbours. The score is the softplus of
/// the evidence: the negative logarithm of the probability that the pixel is normal, where both were equally
/// likely before; it is positive, so that it can be fused. The angle map compares with the mean spectrum.
class LikelihoodDetector : public Detector {
 public:
  LikelihoodDetector(const DetectorOptions& options, const spectral::Bands& bands);

  const spectral::Bands& bands() const override { return transform_.bands(); }
  void bind(const spectral::Bands& cube) override { transform_.bind(cube); }
  /// The first pass sees the noise, the second one the spectra.
  void observe(const spectral::Block& block) override;
  bool finish() override;
  bool trainable() const override { return false; }
  /// The components (components, rows, cols), double.
  spectral::Block prepare(const spectral::Block& block) const override;
  void calibrate(const spectral::Block&) override {}
  void finish_calibration() override {}
  ScoreMaps score(const spectral::Block& block) override;
  Field field() const override;
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  /// What the passes gather.
  struct Gathered {
    Gathered(std::int64_t bands, std::int64_t features);
    SpectrumSample differences;
    SpectrumSample components;
    /// (bands): of the spectra; (features): of the squares of the features.
    torch::Tensor sum;
    torch::Tensor squares;
    std::int64_t count = 0;
    bool noise_is_known = false;
  };

  spectral::DefectLikelihood registered(const std::string& name);
  spectral::Block matched(const spectral::Block& block) const;
  torch::Tensor components_of(const torch::Tensor& spectra, const torch::Tensor& valid) const;
  torch::Tensor less_background(const torch::Tensor& components, const torch::Tensor& valid) const;
  void observe_noise(const spectral::Block& spectra);
  void observe_components(const spectral::Block& spectra);
  void check_enough() const;
  void learn_projection();
  void learn_normal();
  torch::Tensor in_features(const torch::Tensor& covariance) const;
  torch::Tensor in_components(const torch::Tensor& covariance) const;
  torch::Tensor ratio(const torch::Tensor& components, const torch::Tensor& valid) const;
  std::int64_t reach() const { return options_.window_px / 2; }

  LikelihoodOptions options_;
  BandTransform transform_;
  bool logarithmic_;
  std::int64_t components_;
  torch::Tensor mean_;
  torch::Tensor projection_;
  spectral::DefectLikelihood global_;
  spectral::DefectLikelihood local_;
  std::optional<Gathered> gathered_;
};

}  // namespace hyperdefect::model
