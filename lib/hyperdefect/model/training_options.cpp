// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/training_options.h"

#include "hyperdefect/core/text.h"

namespace hyperdefect::model {

void declare(config::Section& section, LearningOptions& options, const ModelOptions& model,
             const ScoreOptions& score) {
  section.used_if(with_detector(model, {"autoencoder"}));
  const auto with = [&options](const char* corruption) {
    return config::Use{[&options, corruption] { return options.corruption == corruption; },
                       text::cat("train.corruption is ", corruption)};
  };
  section
      .add("corruption", &options.corruption,
           "What the network's input is spoiled with, and what it has to undo: holes (pixels replaced by "
           "other "
           "spectra; for a single scene) or defects (smooth changes of the spectrum on small spots; for "
           "defect-free training cubes).")
      .choices({"holes", "defects"});
  section
      .add("hole_sizes_px", &options.hole_sizes_px,
           "holes: the sides of the holes; one is drawn for each step.")
      .range(1, 256)
      .used_if({[&options, &score] { return options.corruption == "holes" || score.passes == "masked"; },
                "train.corruption is holes, or score.passes is masked"});
  section
      .add("hole_fraction", &options.hole_fraction, "holes: the part of the image that is hidden in a step.")
      .range(0.01, 0.9)
      .used_if(with("holes"));
  section
      .add("defect_fraction", &options.defect_fraction, "defects: the part of the image that gets a defect.")
      .range(0.001, 0.9)
      .used_if(with("defects"));
  section.add("defect_max_px", &options.defect_max_px, "defects: the largest side of a spot.")
      .range(1, 256)
      .used_if(with("defects"));
  section
      .add("defect_min_amplitude", &options.defect_min_amplitude,
           "defects: the smallest amplitude, in units of the transformed spectra (0.05 is 5 % after the "
           "logarithm).")
      .range(1e-6, 1e6)
      .used_if(with("defects"));
  section.add("defect_max_amplitude", &options.defect_max_amplitude, "defects: the largest amplitude.")
      .range(1e-6, 1e6)
      .used_if(with("defects"));
  section.add("defect_weight", &options.defect_weight, "defects: weight of a spot's pixels in the loss.")
      .range(1, 1e3)
      .used_if(with("defects"));
  section
      .add("gain", &options.gain,
           "defects: a whole patch is shifted by up to this much in both input and target, so that a change "
           "of "
           "brightness is no defect; in units of the transformed spectra.")
      .range(0, 1e6)
      .used_if(with("defects"));
  section.add("tilt", &options.tilt, "defects: the same for a linear slope over the bands, at its ends.")
      .range(0, 1e6)
      .used_if(with("defects"));
  section
      .add("loss", &options.loss,
           "robust: the root of each pixel's mean squared error, which a few defects in the training data "
           "cannot "
           "dominate; squared: the mean squared error.")
      .choices({"robust", "squared"});
  section
      .add("sad_weight", &options.sad_weight,
           "Weight of the loss 1 - cos between spectra, added to the loss.")
      .range(0, 1e3);
  section.used_if();
}

void declare(config::Section& section, ScoreOptions& options, const ModelOptions& model) {
  section
      .add("calibration", &options.calibration,
           "Brings the scores of all scenes onto one scale, so that one threshold serves them. robust: the "
           "score is in robust standard deviations (1.4826 MAD) above the median of the training scores; for "
           "a scene that holds the defects itself. tail: the score says how rare it is, 3 that one normal "
           "pixel in 10^3 scores higher, by the training scores, continued beyond the highest; for training "
           "data without defects. none: the score as the detector gives it.")
      .choices({"tail", "robust", "none"});
  section.used_if(with_detector(model, {"autoencoder"}));
  section
      .add("passes", &options.passes,
           "autoencoder: plain judges all pixels in one pass; masked hides each pixel from the network that "
           "judges "
           "it, in four passes for each of train.hole_sizes_px.")
      .choices({"plain", "masked"});
  section
      .add("rounds", &options.rounds,
           "autoencoder: masked passes are repeated with other grids and averaged.")
      .range(1, 64)
      .used_if({[&options] { return options.passes == "masked"; }, "score.passes is masked"});
  section
      .add("residual_weight", &options.residual_weight,
           "autoencoder: weight of the residual (root mean square over the components). Each part is divided "
           "by "
           "its mean over the training data, then the weighted parts are added.")
      .range(0, 1e3);
  section
      .add("sad_weight", &options.sad_weight,
           "autoencoder: weight of the spectral angle between measured and reconstructed spectrum.")
      .range(0, 1e3);
  section
      .add("mahalanobis_weight", &options.mahalanobis_weight,
           "autoencoder: weight of the Mahalanobis distance of the residual from the training residuals.")
      .range(0, 1e3);
  section
      .add("rx_weight", &options.rx_weight,
           "autoencoder: weight of the RX distance of the transformed spectrum itself.")
      .range(0, 1e3);
  section
      .add("smoothing_px", &options.smoothing_px,
           "autoencoder: each part is smoothed by a Gaussian of this standard deviation.")
      .range(0, 64);
  section.used_if(with_fusion(model));
  section
      .add("spot_weight", &options.spot_weight,
           "fused: spots in each summand, more compact than lines and edges, rise by so many times what they "
           "stand out from their surroundings; 0 leaves it as it is.")
      .range(0, 1e3);
  section
      .add("spot_area_px", &options.spot_area_px,
           "fused: a spot has fewer pixels than this, and is at most about twice as long as wide.")
      .range(2, 1e4)
      .used_if({[&options] { return options.spot_weight > 0; }, "score.spot_weight is above 0"});
  section.used_if();
}

}  // namespace hyperdefect::model
