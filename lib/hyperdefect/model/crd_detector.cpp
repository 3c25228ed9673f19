// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/crd_detector.h"

#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/collaborative.h"

namespace hyperdefect::model {

CrdDetector::CrdDetector(const DetectorOptions& options, const spectral::Bands& bands)
    : ComponentDetector({"CrdDetector", options.classical.crd_components, options.classical.crd_power,
                         options.classical.crd_smoothing_px},
                        options.preprocess, bands),
      window_{options.classical.crd_inner_px, options.classical.crd_outer_px},
      lambda_(options.classical.crd_lambda) {
  check_window(window_, "crd");
}

torch::Tensor CrdDetector::score_of(const torch::Tensor& components, const torch::Tensor& valid) const {
  return spectral::collaborative_residual(components, valid, window_, lambda_);
}

std::int64_t CrdDetector::score_bytes_per_pixel() const {
  // Backgrounds are held for a few rows alone.
  return 4 * (components() + 1) * static_cast<std::int64_t>(sizeof(double));
}

std::string CrdDetector::score_summary() const {
  return text::cat("crd: what the pixels of a window of ", window_.outer_px,
                   " pixels squared without its middle ", window_.inner_px,
                   " cannot represent together, over ", text::counted(components(), "component"));
}

}  // namespace hyperdefect::model
