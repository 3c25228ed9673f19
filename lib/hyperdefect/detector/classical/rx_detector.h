// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "hyperdefect/detector/classical/classical_detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/spectral/moments.h"

namespace hyperdefect::detector {

/// The section `rx`.
struct RxOptions {
  std::int64_t components = 0;
  double smoothing_px = 0.0;
};

void declare(config::Section& section, RxOptions& own, const DetectorOptions& all);

/// Global RX (Reed and Yu, 1990): the Mahalanobis distance of a spectrum to the background mean, over all
/// bands in use or over their leading principal components, with the sample covariance of the pixels it was
/// fitted to. It takes the values of the bands as they are.
///
///     DetectorOptions options;
///     options.name = "rx";
///     options.of<RxOptions>().components = 20;
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class RxDetector : public ClassicalDetector, private Statistics {
 public:
  RxDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Statistics* statistics() override { return this; }
  Measurement measure(const preprocess::Preprocessed& block) const override;
  std::int64_t bytes_per_pixel() const override;

 private:
  std::int64_t reach_px() const override { return 0; }
  std::string headline() const override;
  void accumulate_features(const preprocess::Preprocessed& block) override;
  bool begin() override;
  /// Whether the preprocessing measures what this detector takes.
  bool shares_statistics() const { return components_ == 0 && preprocess().keeps_values(); }
  void warn_of_ridge(double ridge, std::int64_t pixels) const;
  torch::Tensor full_precision() const;
  torch::Tensor leading_precision() const;

  std::int64_t components_;
  std::optional<spectral::Moments> moments_;
  torch::Tensor mean_;
  torch::Tensor precision_;
};

}  // namespace hyperdefect::detector
