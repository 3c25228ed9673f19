// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_options.h"

#include <string>

namespace hyperdefect::detector {
namespace {

/// The name that a key had in the section model.
std::string former(const char* key) {
  return std::string("model.likelihood_") + key;
}

void declare_weight(config::Section& section, const char* key, double* weight, const char* help) {
  section.add(key, weight, help).range(0, 1e3).formerly(former(key));
}

}  // namespace

void declare(config::Section& section, LikelihoodRatioOptions& own, const DetectorOptions&) {
  section
      .add("components", &own.components,
           "Directions in which smooth changes of the spectrum stand out most from the noise. Smooth means "
           "smooth over wavelength. If a cube states no wavelengths, its bands are assumed to be evenly "
           "spaced from 400 to 1000 nm.")
      .range(1, 1000)
      .formerly(former("components"));
  section.add("mixture", &own.mixture, "Number of normal distributions that describe the training spectra.")
      .range(1, 16)
      .level(config::Level::expert)
      .formerly(former("mixture"));
  section
      .add("window_px", &own.window_px,
           "Side of the window whose median is the local background. Even numbers count as the next odd one.")
      .range(1, 63)
      .formerly(former("window_px"));
  declare_weight(section, "global_weight", &own.global_weight,
                 "Weight of the comparison of a pixel with the training spectra.");
  declare_weight(section, "local_weight", &own.local_weight,
                 "Weight of the comparison of a pixel with the training spectra after the local background "
                 "is subtracted from both.");
  declare_weight(section, "coherence_weight", &own.coherence_weight,
                 "Weight of the evidence that a pixel and its neighbours hold the same defect.");
  declare_weight(section, "gain", &own.gain,
                 "The global comparison does not count a change of brightness of this size as a defect: a "
                 "relative standard deviation (0.2 is 20 %).");
  declare_weight(section, "tilt", &own.tilt, "The same for a slow change over wavelength (300 nm).");
}

}  // namespace hyperdefect::detector
