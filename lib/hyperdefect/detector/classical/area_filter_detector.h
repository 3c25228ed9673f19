// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/detector/classical/classical_detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/image/area_filter.h"

namespace hyperdefect::detector {

/// The section `area_filter`.
struct AreaFilterOptions {
  std::int64_t components = 20;
  double whitening_exponent = 0.5;
  std::vector<std::int64_t> sizes_px{25, 50, 100, 200};
  double max_elongation = image::kTwiceAsLongAsWide;
  double smoothing_px = 0.5;

  std::int64_t principal_components() const { return components; }
};

void declare(config::Section& section, AreaFilterOptions& own, const DetectorOptions& all);

/// Small spots stand out: the norm, over partially whitened principal components, of what area filters
/// (image/area_filter.h) take out of each. The maps for several areas are divided by their means over the
/// training data and averaged, so that small and large defects count alike.
///
///     DetectorOptions options;
///     options.name = "area_filter";
///     options.of<AreaFilterOptions>().sizes_px = {25, 400};
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class AreaFilterDetector : public ClassicalDetector {
 public:
  AreaFilterDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Measurement measure(const preprocess::Preprocessed& block) const override;
  Measurement calibrate(const preprocess::Preprocessed& block) override;
  void finish_calibration() override;
  bool is_normalised() const override { return true; }
  std::int64_t bytes_per_pixel() const override;
  std::int64_t measurement_bytes_per_pixel() const override {
    return static_cast<std::int64_t>(options_.sizes_px.size() * sizeof(float));
  }

 private:
  torch::Tensor map_of(const Measurement& measured) const override;
  std::int64_t reach_px() const override;
  std::string headline() const override;

  AreaFilterOptions options_;
  preprocess::ComponentSpec spec_;
  /// (areas): mean of each area's map over the training data.
  torch::Tensor area_means_;
  /// (areas) double, and how many pixels were summed: gathered while the calibration runs.
  torch::Tensor sums_;
  std::int64_t pixels_ = 0;
};

}  // namespace hyperdefect::detector
