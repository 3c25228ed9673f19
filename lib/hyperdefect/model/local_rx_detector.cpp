// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/local_rx_detector.h"

#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/local_rx.h"

namespace hyperdefect::model {

LocalRxDetector::LocalRxDetector(const DetectorOptions& options, const spectral::Bands& bands)
    : ComponentDetector(
          {"LocalRxDetector", options.classical.local_components, 0.0, options.classical.local_smoothing_px},
          options.preprocess, bands),
      window_{options.classical.local_inner_px, options.classical.local_outer_px},
      shrinkage_(options.classical.local_shrinkage) {
  check_window(window_, "local");
}

torch::Tensor LocalRxDetector::score_of(const torch::Tensor& components, const torch::Tensor& valid) const {
  return spectral::local_rx(components, valid, window_, shrinkage_);
}

std::int64_t LocalRxDetector::score_bytes_per_pixel() const {
  // The covariance, its factor, a copy of either, and the running sums of one row of the covariance.
  const auto doubles = 3 * components() * components() + 8 * components();
  return doubles * static_cast<std::int64_t>(sizeof(double));
}

std::string LocalRxDetector::score_summary() const {
  return text::cat("local_rx: Mahalanobis distance over ", text::counted(components(), "component"),
                   " to the mean of a window of ", window_.outer_px, " pixels squared without its middle ",
                   window_.inner_px);
}

}  // namespace hyperdefect::model
