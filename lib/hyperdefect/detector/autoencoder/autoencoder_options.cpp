// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/autoencoder/autoencoder_options.h"

#include "hyperdefect/core/text.h"

namespace hyperdefect::detector {
namespace {

template <class Enum>
config::Choice choice(Enum* field) {
  return {field, nn::named_choices<Enum>()};
}

void declare_lift(config::Section& section, nn::NetworkOptions& options) {
  const config::Use convolves{[&options] { return options.lift != nn::Lift::linear; },
                              "autoencoder.lift is not linear"};
  section
      .add("lift", choice(&options.lift),
           "From bands to features. spectral: convolution along the bands; factorised: along the bands, then "
           "over rows and columns; full: 3-D kernel; linear: a per-pixel layer only.")
      .formerly("model.lift");
  section.add("lift_channels", &options.lift_channels, "Kernels of the 3-D convolution.")
      .range(1, 256)
      .used_if(convolves)
      .formerly("model.lift_channels");
  section.add("lift_kernel", &options.lift_kernel, "Kernel size over band, row and column.")
      .range(1, 31)
      .entries(3, 3)
      .used_if(convolves)
      .formerly("model.lift_kernel");
  section
      .add("lift_stride", &options.lift_stride,
           "Stride over band, row and column; over rows and columns it must be 1.")
      .range(1, 31)
      .entries(3, 3)
      .used_if(convolves)
      .formerly("model.lift_stride");
  section
      .add("lift_residual", &options.lift_residual,
           "Add a per-pixel linear projection of the bands to the lift.")
      .used_if(convolves)
      .formerly("model.lift_residual");
}

void declare_decoder(config::Section& section, nn::NetworkOptions& options) {
  section
      .add("decoder_blocks", &options.decoder_blocks, "Add a residual block after each stage of the decoder.")
      .formerly("model.decoder_blocks");
  section
      .add("input_skip", &options.input_skip,
           "Add the input to the output: the network then predicts what to remove. It suits the corruption "
           "synthetic_defect; with mask the network would pass on what fills the mask.")
      .formerly("model.input_skip");
  section.add("skip", choice(&options.skip), "How an encoder stage reaches the decoder stage of its size.")
      .formerly("model.skip");
  section
      .add("skip_channels", &options.skip_channels,
           "concat: channels that a skip connection is reduced to; 0 keeps them all.")
      .range(0, 1024)
      .used_if({[&options] { return options.skip == nn::Skip::concat; }, "autoencoder.skip is concat"})
      .formerly("model.skip_channels");
  section
      .add("skip_full_resolution", &options.skip_full_resolution,
           "Whether the full resolution has a skip connection too.")
      .used_if({[&options] { return options.skip != nn::Skip::none; }, "autoencoder.skip is not none"})
      .formerly("model.skip_full_resolution");
  section.add("upsample", choice(&options.upsample), "How the decoder doubles the resolution.")
      .formerly("model.upsample");
}

void declare_network(config::Section& section, nn::NetworkOptions& options) {
  section.level(config::Level::expert);
  section
      .add("features", &options.features,
           "Channels at full resolution and after each halving of it: [48, 48, 48, 48] halves three times.")
      .range(1, 1024)
      .entries(2, 6)
      .level(config::Level::advanced)
      .formerly("model.features");
  section
      .add("norm", choice(&options.norm),
           "Normalisation after a convolution. layer: each pixel over its channels; batch: over the batch in "
           "training, frozen afterwards; none.")
      .formerly("model.norm");
  section.add("residual", &options.residual, "Residual connections y = F(x) + x in the encoder's blocks.")
      .formerly("model.residual");
  section
      .add("full_resolution_block", &options.full_resolution_block,
           "A residual block at full resolution, before the first halving.")
      .formerly("model.full_resolution_block");
  declare_lift(section, options);
  section.add("heads", &options.heads, "Heads of the self-attention at the bottleneck; 0 leaves it out.")
      .range(0, 64)
      .formerly("model.heads");
  declare_decoder(section, options);
}

void declare_mask(config::Section& section, LearningOptions& options, const ScoreOptions& score) {
  section
      .add("mask_sizes_px", &options.mask_sizes_px,
           "mask: the sides of the squares that are hidden; one size is drawn for each step.")
      .range(1, 256)
      .used_if({[&options, &score] {
                  return options.corruption == Corruption::mask || score.inference == Inference::masked;
                },
                "autoencoder.corruption is mask, or autoencoder.inference is masked"})
      .formerly("train.hole_sizes_px");
  section
      .add("mask_fraction", &options.mask_fraction, "mask: the part of the image that is hidden in a step.")
      .range(0.01, 0.9)
      .used_if(
          {[&options] { return options.corruption == Corruption::mask; }, "autoencoder.corruption is mask"})
      .formerly("train.hole_fraction");
}

void declare_synthetic_defects(config::Section& section, LearningOptions& options) {
  const config::Use used{[&options] { return options.corruption == Corruption::synthetic_defect; },
                         "autoencoder.corruption is synthetic_defect"};
  section
      .add("defect_fraction", &options.defect_fraction,
           "synthetic_defect: the part of the image that gets a defect.")
      .range(0.001, 0.9)
      .used_if(used)
      .formerly("train.defect_fraction");
  section.add("defect_max_px", &options.defect_max_px, "synthetic_defect: the largest side of a spot.")
      .range(1, 256)
      .used_if(used)
      .formerly("train.defect_max_px");
  section
      .add("defect_min_amplitude", &options.defect_min_amplitude,
           "synthetic_defect: the smallest amplitude, in units of the transformed spectra (0.05 is 5 % after "
           "the logarithm).")
      .range(1e-6, 1e6)
      .used_if(used)
      .formerly("train.defect_min_amplitude");
  section
      .add("defect_max_amplitude", &options.defect_max_amplitude, "synthetic_defect: the largest amplitude.")
      .range(1e-6, 1e6)
      .used_if(used)
      .formerly("train.defect_max_amplitude");
  section
      .add("defect_weight", &options.defect_weight,
           "synthetic_defect: weight of a spot's pixels in the loss.")
      .range(1, 1e3)
      .used_if(used)
      .formerly("train.defect_weight");
  section
      .add("gain", &options.gain,
           "synthetic_defect: a whole patch is shifted by up to this much in both input and target, so that "
           "a change of brightness is not a defect; in units of the transformed spectra.")
      .range(0, 1e6)
      .used_if(used)
      .formerly("train.gain");
  section
      .add("tilt", &options.tilt,
           "synthetic_defect: the same for a linear slope over the bands; the value holds at the first and "
           "last band.")
      .range(0, 1e6)
      .used_if(used)
      .formerly("train.tilt");
}

void declare_learning(config::Section& section, LearningOptions& options, const ScoreOptions& score) {
  section.level(config::Level::advanced);
  section
      .add(
          "corruption",
          config::Choice(&options.corruption,
                         config::Choice::Names<Corruption>{
                             {"mask", Corruption::mask}, {"synthetic_defect", Corruption::synthetic_defect}}),
          "How the network's input is corrupted; the network learns to undo this. mask: squares are replaced "
          "by other spectra; for a single scene. synthetic_defect: smooth changes of the spectrum on small "
          "spots; for defect-free training cubes.")
      .formerly("train.corruption")
      .value_formerly("holes", "mask")
      .value_formerly("defects", "synthetic_defect");
  declare_mask(section, options, score);
  declare_synthetic_defects(section, options);
  section
      .add("loss",
           config::Choice(&options.loss,
                          config::Choice::Names<ReconstructionLoss>{
                              {"root_mean_square", ReconstructionLoss::root_mean_square},
                              {"squared", ReconstructionLoss::squared}}),
           "root_mean_square: the root of each pixel's mean squared error, which a few defects in the "
           "training data cannot dominate; squared: the mean squared error.")
      .formerly("train.loss")
      .value_formerly("robust", "root_mean_square");
  section
      .add("sad_loss_weight", &options.sad_loss_weight,
           "Weight of 1 - cos of the angle between input and output spectrum, which is added to the loss.")
      .range(0, 1e3)
      .formerly("train.sad_weight");
}

void declare_weight(config::Section& section, const char* key, double* weight, const char* help) {
  section.add(key, weight, help).range(0, 1e3).formerly(text::concat("score.", key));
}

void declare_score(config::Section& section, ScoreOptions& options) {
  section
      .add(
          "inference",
          config::Choice(&options.inference, config::Choice::Names<Inference>{{"plain", Inference::plain},
                                                                              {"masked", Inference::masked}}),
          "plain scores all pixels in one pass; masked hides each pixel from the network while it is scored, "
          "in four passes for each of mask_sizes_px.")
      .formerly("score.passes");
  section
      .add("mask_repeats", &options.mask_repeats,
           "masked: how often the passes are repeated, with other grids; the results are averaged.")
      .range(1, 64)
      .used_if(
          {[&options] { return options.inference == Inference::masked; }, "autoencoder.inference is masked"})
      .formerly("score.rounds");
  declare_weight(
      section, "residual_weight", &options.residual_weight,
      "Weight of the residual (root mean square over the components) in the score. Each part of the score is "
      "divided by its mean over the training data, then the weighted parts are added.");
  declare_weight(section, "sad_weight", &options.sad_weight,
                 "Weight of the spectral angle between measured and reconstructed spectrum in the score.");
  declare_weight(section, "mahalanobis_weight", &options.mahalanobis_weight,
                 "Weight of the Mahalanobis distance of the residual from the training residuals.");
  declare_weight(section, "rx_weight", &options.rx_weight,
                 "Weight of the RX distance of the transformed spectrum.");
  section
      .add("smoothing_px", &options.smoothing_px,
           "Each part of the score is smoothed by a Gaussian of this standard deviation.")
      .range(0, 64)
      .formerly("score.smoothing_px");
}

}  // namespace

void declare(config::Section& section, AutoencoderOptions& own, const DetectorOptions&) {
  declare_network(section, own.network);
  declare_learning(section, own.learning, own.score);
  declare_score(section, own.score);
}

}  // namespace hyperdefect::detector
