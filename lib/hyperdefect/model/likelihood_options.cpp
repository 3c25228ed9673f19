// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/likelihood_options.h"

namespace hyperdefect::model {

void declare(config::Section& section, LikelihoodOptions& options, const ModelOptions& model) {
  section.used_if(with_detector(model, {"likelihood"}));
  section
      .add("likelihood_components", &options.components,
           "likelihood: directions in which smooth changes of the spectrum stand out most from the noise. "
           "Smooth is meant over wavelength; where a cube states none, its bands are taken to lie evenly "
           "between 400 and 1000 nm.")
      .range(1, 1000);
  section
      .add("likelihood_mixture", &options.mixture,
           "likelihood: normal distributions that the training spectra are described by.")
      .range(1, 16);
  section
      .add("likelihood_window_px", &options.window_px,
           "likelihood: side of the window whose median is the local background; even numbers count as the "
           "next odd one.")
      .range(1, 63);
  section
      .add("likelihood_global_weight", &options.global_weight,
           "likelihood: weight of the comparison of a pixel with the training spectra.")
      .range(0, 1e3);
  section
      .add("likelihood_local_weight", &options.local_weight,
           "likelihood: weight of the comparison of a pixel, less its local background, with the same of the "
           "training data.")
      .range(0, 1e3);
  section
      .add("likelihood_coherence_weight", &options.coherence_weight,
           "likelihood: weight of the agreement of a pixel with its neighbours that both hold one defect.")
      .range(0, 1e3);
  section
      .add("likelihood_gain", &options.gain,
           "likelihood: a change of brightness of this size is no defect to the global part: a relative "
           "standard deviation (0.2 is 20 %).")
      .range(0, 1e3);
  section
      .add("likelihood_tilt", &options.tilt,
           "likelihood: the same for a slow change over wavelength (300 nm).")
      .range(0, 1e3);
  section.used_if();
}

}  // namespace hyperdefect::model
