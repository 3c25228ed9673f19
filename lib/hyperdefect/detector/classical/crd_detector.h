// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/detector/classical/classical_detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/image/dual_window.h"

namespace hyperdefect::detector {

/// The section `crd`.
struct CrdOptions {
  std::int64_t components = 30;
  double whitening_exponent = 0.5;
  image::DualWindow window{7, 15};
  double lambda = 1e-6;
  double smoothing_px = 0.5;

  std::int64_t principal_components() const { return components; }
};

void declare(config::Section& section, CrdOptions& own, const DetectorOptions& all);

/// Collaborative representation (spectral/collaborative.h) of the leading principal components: what the
/// pixels of a ring cannot represent together.
///
///     DetectorOptions options;
///     options.name = "crd";
///     options.of<CrdOptions>().window = {9, 21};  // larger than the defects, odd
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class CrdDetector : public ClassicalDetector {
 public:
  CrdDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Measurement measure(const preprocess::Preprocessed& block) const override;
  std::int64_t bytes_per_pixel() const override;

 private:
  std::int64_t reach_px() const override { return options_.window.reach_px(); }
  std::string headline() const override;

  CrdOptions options_;
  preprocess::ComponentSpec spec_;
};

}  // namespace hyperdefect::detector
