// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_options.h"

#include <limits>
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
  section
      .add("global_limit", &own.global_limit,
           "The global comparison counts as this much at most, so that material which the training cubes do "
           "not show does not hide small defects. 20 is an odds ratio of e^20; .inf sets no limit.")
      .range(0, std::numeric_limits<double>::infinity())
      .used_if({[&own] { return own.global_weight > 0; }, "likelihood_ratio.global_weight is above 0"});
  declare_weight(section, "local_weight", &own.local_weight,
                 "Weight of the comparison of a pixel with the training spectra after the local background "
                 "is subtracted from both.");
  declare_weight(section, "coherence_weight", &own.coherence_weight,
                 "Weight of the evidence that a pixel and its neighbours hold the same defect.");
  declare_weight(section, "gain", &own.gain,
                 "The global comparison does not count a change of brightness of this size as a defect: a "
                 "relative standard deviation (0.2 is 20 %).");
  declare_weight(section, "tilt", &own.tilt, "The same for a slow change over wavelength (300 nm).");
  section
      .add(
          "texture_probability", &own.texture_probability,
          "How probable it is that a normal pixel differs from its surroundings in the way that the training "
          "spectra do where they differ most (texture, edges, glints), but more strongly than in training. "
          "What this explains scores low. 0 turns it off.")
      .range(0, 0.9);
  section
      .add("texture_directions", &own.texture_directions,
           "Number of directions in which the training spectra differ most from their surroundings.")
      .range(1, 100)
      .used_if(
          {[&own] { return own.texture_probability > 0; }, "likelihood_ratio.texture_probability is above 0"})
      .level(config::Level::expert);
}

}  // namespace hyperdefect::detector
