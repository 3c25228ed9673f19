// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/detector/classical/classical_detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/image/dual_window.h"

namespace hyperdefect::detector {

/// The section `local_rx`.
struct LocalRxOptions {
  std::int64_t components = 20;
  image::DualWindow window{5, 15};
  double shrinkage = 0.1;
  double smoothing_px = 0.5;

  std::int64_t principal_components() const { return components; }
};

void declare(config::Section& section, LocalRxOptions& own, const DetectorOptions& all);

/// Local RX (spectral/local_rx.h) on the leading principal components: the distance of a spectrum to the mean
/// and covariance of a ring around its pixel.
///
///     DetectorOptions options;
///     options.name = "local_rx";
///     options.of<LocalRxOptions>().window = {9, 21};  // larger than the defects, odd
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class LocalRxDetector : public ClassicalDetector {
 public:
  LocalRxDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Measurement measure(const preprocess::Preprocessed& block) const override;
  std::int64_t bytes_per_pixel() const override;

 private:
  std::int64_t reach_px() const override { return options_.window.reach_px(); }
  std::string headline() const override;

  LocalRxOptions options_;
  preprocess::ComponentSpec spec_;
};

}  // namespace hyperdefect::detector
