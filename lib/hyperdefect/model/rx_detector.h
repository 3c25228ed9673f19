// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hyperdefect/model/band_picker.h"
#include "hyperdefect/model/detector.h"
#include "hyperdefect/spectral/moments.h"

namespace hyperdefect::model {

/// Global RX (Reed and Yu, 1990): the Mahalanobis distance of a spectrum to the background mean, over all
/// bands in use, with the sample covariance of the pixels it was fitted to. The angle map compares with the
/// background mean.
class RxDetector : public Detector {
 public:
  RxDetector(const PreprocessOptions& options, spectral::Bands bands);

  const spectral::Bands& bands() const override { return bands_; }
  void bind(const spectral::Bands& cube) override;
  void observe(const spectral::Block& block) override;
  bool finish() override;
  bool trainable() const override { return false; }
  spectral::Block prepare(const spectral::Block& block) const override;
  torch::Tensor loss(const Batch& batch, at::Generator& generator) override;
  void calibrate(const spectral::Block&) override {}
  void finish_calibration() override {}
  ScoreMaps score(const spectral::Block& block) override;
  Field field() const override { return {}; }
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  spectral::Block matched(const spectral::Block& block) const;

  PreprocessOptions options_;
  spectral::Bands bands_;
  std::optional<BandPicker> picker_;
  std::optional<spectral::Moments> moments_;
  torch::Tensor mean_;
  torch::Tensor precision_;
};

}  // namespace hyperdefect::model
