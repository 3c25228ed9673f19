// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/classical_detector.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/image/gaussian.h"

namespace hyperdefect::detector {

void declare_smoothing(config::Section& section, double* smoothing_px, const char* former_name) {
  section
      .add("smoothing_px", smoothing_px,
           "The score map is smoothed by a Gaussian of this standard deviation.")
      .range(0, 64)
      .formerly(former_name);
}

void check_window(const image::DualWindow& window, const std::string& section) {
  if (!window.is_sound()) {
    throw ConfigError(text::concat(section, ".inner_px is ", window.inner_px, " and ", section,
                                   ".outer_px is ", window.outer_px,
                                   ": both must be odd and the inner one smaller; change one of them"));
  }
}

Score ClassicalDetector::score(const preprocess::Preprocessed& block, const Measurement& measured) const {
  return {image::gaussian_smoothed(map_of(measured).cpu(), block.valid().cpu(), smoothing_px_)};
}

ReceptiveField ClassicalDetector::receptive_field() const {
  return {1, reach_px() + image::gaussian_radius(smoothing_px_)};
}

std::string ClassicalDetector::summary() const {
  return text::concat(headline(), "\nparameters: none trained\nreceptive field: ",
                      text::pluralise(2 * receptive_field().halo + 1, "pixel"), "\n");
}

}  // namespace hyperdefect::detector
