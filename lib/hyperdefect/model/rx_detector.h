// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hyperdefect/model/band_picker.h"
#include "hyperdefect/model/classical_detector.h"
#include "hyperdefect/spectral/moments.h"

namespace hyperdefect::model {

/// Global RX (Reed and Yu, 1990): the Mahalanobis distance of a spectrum to the background mean, over all
/// bands in use or over their leading principal components, with the sample covariance of the pixels it was
/// fitted to.
class RxDetector : public ClassicalDetector {
 public:
  RxDetector(const DetectorOptions& options, spectral::Bands bands);

  const spectral::Bands& bands() const override { return bands_; }
  void bind(const spectral::Bands& cube) override;
  void observe(const spectral::Block& block) override;
  bool finish() override;
  spectral::Block prepare(const spectral::Block& block) const override;
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  Evidence evidence(const spectral::Block& block) const override;
  std::int64_t reach_px() const override { return 0; }
  spectral::Block matched(const spectral::Block& block) const;
  torch::Tensor full_precision() const;
  torch::Tensor leading_precision() const;

  PreprocessOptions options_;
  std::int64_t components_;
  spectral::Bands bands_;
  std::optional<BandPicker> picker_;
  std::optional<spectral::Moments> moments_;
  torch::Tensor mean_;
  torch::Tensor precision_;
};

}  // namespace hyperdefect::model
