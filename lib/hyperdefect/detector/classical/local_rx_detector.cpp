// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/local_rx_detector.h"

#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/local_rx.h"

namespace hyperdefect::detector {

void declare(config::Section& section, LocalRxOptions& own, const DetectorOptions&) {
  section.add("components", &own.components, "How many principal components the distance uses.")
      .range(1, 256)
      .formerly("model.local_components");
  section
      .add("inner_px", &own.window.inner_px,
           "Side of the window around a pixel that is left out of its background; odd, and larger than the "
           "defects.")
      .range(1, 255)
      .level(config::Level::basic)
      .formerly("model.local_inner_px");
  section.add("outer_px", &own.window.outer_px, "Side of the window that the background is taken from; odd.")
      .range(3, 511)
      .level(config::Level::basic)
      .formerly("model.local_outer_px");
  section
      .add("shrinkage", &own.shrinkage,
           "Part of the background's covariance that is taken from the whole training data, as windows hold "
           "few pixels.")
      .range(1e-6, 1)
      .formerly("model.local_shrinkage");
  declare_smoothing(section, &own.smoothing_px, "model.local_smoothing_px");
}

LocalRxDetector::LocalRxDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess)
    : ClassicalDetector("LocalRxDetector", preprocess, options.of<LocalRxOptions>().smoothing_px),
      options_(options.of<LocalRxOptions>()),
      spec_(preprocess->limited({options_.components, 0.0})) {
  check_window(options_.window, "local_rx");
}

Measurement LocalRxDetector::measure(const preprocess::Preprocessed& block) const {
  return {{spectral::local_rx(block.components(spec_), block.valid(), options_.window, options_.shrinkage)}};
}

std::int64_t LocalRxDetector::bytes_per_pixel() const {
  // The covariance, its factor, a copy of either, and the running sums of one row of the covariance.
  const auto doubles = 3 * spec_.count * spec_.count + 8 * spec_.count;
  return doubles * static_cast<std::int64_t>(sizeof(double));
}

std::string LocalRxDetector::headline() const {
  return text::concat("local_rx: Mahalanobis distance over ", text::pluralise(spec_.count, "component"),
                      " to the mean of a square window with side ", options_.window.outer_px,
                      ", without the inner square with side ", options_.window.inner_px);
}

}  // namespace hyperdefect::detector
