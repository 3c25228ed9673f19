// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/crd_detector.h"

#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/collaborative.h"

namespace hyperdefect::detector {

void declare(config::Section& section, CrdOptions& own, const DetectorOptions&) {
  section
      .add("components", &own.components,
           "How many principal components of a pixel are represented by its surroundings.")
      .range(1, 256)
      .formerly("model.crd_components");
  section
      .add("whitening_exponent", &own.whitening_exponent,
           "Partial whitening of the components, as preprocess.whitening_exponent for the networks.")
      .range(0, 1)
      .level(config::Level::expert)
      .formerly("model.crd_power");
  section
      .add("inner_px", &own.window.inner_px,
           "Side of the inner window, whose pixels are not used to represent its centre; odd, and larger "
           "than the "
           "defects.")
      .range(1, 255)
      .level(config::Level::basic)
      .formerly("model.crd_inner_px");
  section
      .add("outer_px", &own.window.outer_px,
           "Side of the outer window, whose pixels represent its centre; odd. Time grows with its square.")
      .range(3, 511)
      .level(config::Level::basic)
      .formerly("model.crd_outer_px");
  section
      .add("lambda", &own.lambda,
           "Weight of the penalty on the coefficients, each multiplied by the distance of its pixel.")
      .range(1e-9, 1e3)
      .formerly("model.crd_lambda");
  declare_smoothing(section, &own.smoothing_px, "model.crd_smoothing_px");
}

CrdDetector::CrdDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess)
    : ClassicalDetector("CrdDetector", preprocess, options.of<CrdOptions>().smoothing_px),
      options_(options.of<CrdOptions>()),
      spec_(preprocess->limited({options_.components, options_.whitening_exponent})) {
  check_window(options_.window, "crd");
}

Measurement CrdDetector::measure(const preprocess::Preprocessed& block) const {
  return {{spectral::collaborative_residual(block.components(spec_), block.valid(), options_.window,
                                            options_.lambda)}};
}

std::int64_t CrdDetector::bytes_per_pixel() const {
  // Backgrounds are held for a few rows alone.
  return 4 * (spec_.count + 1) * static_cast<std::int64_t>(sizeof(double));
}

std::string CrdDetector::headline() const {
  return text::concat("crd: what the pixels of a square window with side ", options_.window.outer_px,
                      ", without the inner square with side ", options_.window.inner_px,
                      ", cannot represent together, over ", text::pluralise(spec_.count, "component"));
}

}  // namespace hyperdefect::detector
