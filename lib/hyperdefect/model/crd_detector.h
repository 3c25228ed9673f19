// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/model/component_detector.h"
#include "hyperdefect/spectral/dual_window.h"

namespace hyperdefect::model {

/// Collaborative representation (spectral/collaborative.h) of the leading principal components: what the
/// pixels of a ring cannot represent together.
class CrdDetector : public ComponentDetector {
 public:
  CrdDetector(const DetectorOptions& options, const spectral::Bands& bands);

 private:
  torch::Tensor score_of(const torch::Tensor& components, const torch::Tensor& valid) const override;
  std::int64_t reach_px() const override { return window_.reach_px(); }
  std::int64_t score_bytes_per_pixel() const override;
  std::string score_summary() const override;

  spectral::DualWindow window_;
  double lambda_;
};

}  // namespace hyperdefect::model
