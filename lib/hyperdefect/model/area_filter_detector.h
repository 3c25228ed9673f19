// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/model/component_detector.h"

namespace hyperdefect::model {

/// Small spots stand out: the norm, over partially whitened principal components, of what area filters
/// (spectral/area_filter.h) take out of each. The maps for several areas are divided by their means over the
/// training data and averaged, so that small and large defects count alike.
class AreaFilterDetector : public ComponentDetector {
 public:
  AreaFilterDetector(const DetectorOptions& options, const spectral::Bands& bands);

  /// Of a block that is a part of an image, pixels too near to its border for exact maps are left out.
  void calibrate(const spectral::Block& block) override;
  void finish_calibration() override;
  bool averages_one() const override { return true; }

 private:
  torch::Tensor norms(const torch::Tensor& components, const torch::Tensor& valid) const;
  torch::Tensor score_of(const torch::Tensor& components, const torch::Tensor& valid) const override;
  std::int64_t reach_px() const override;
  std::int64_t score_bytes_per_pixel() const override;
  std::string score_summary() const override;

  std::vector<std::int64_t> areas_px_;
  double extent_;
  /// (areas): mean of each area's map over the training data.
  torch::Tensor area_means_;
  /// (areas) double, and how many pixels were summed: gathered while the calibration runs.
  torch::Tensor sums_;
  std::int64_t pixels_ = 0;
};

}  // namespace hyperdefect::model
