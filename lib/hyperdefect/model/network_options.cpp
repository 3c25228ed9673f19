// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/network_options.h"

#include <algorithm>
#include <utility>

#include "hyperdefect/core/text.h"

namespace hyperdefect::model {

void declare(config::Section& section, ModelOptions& options) {
  section
      .add("detector", &options.detector,
           "autoencoder: reconstructs each spectrum from its surroundings by a network. segmenter: small "
           "networks that learn to find objects implanted into the scene. likelihood: how much likelier a "
           "spectrum is with a smooth change than as one of the defect-free training cubes. rx: global RX, "
           "the "
           "Mahalanobis distance to the background mean. area_filter: how much small bright and dark spots "
           "stand out, over principal components. local_rx: RX against a ring around each pixel. crd: what "
           "the "
           "pixels of a ring cannot represent together. fused: several of them at once, those of the key "
           "fused. The five without a network take the keys that begin with likelihood_, rx_, area_, local_ "
           "and crd_.")
      .choices({"autoencoder", "segmenter", "likelihood", "rx", "area_filter", "local_rx", "crd", "fused"});
  section
      .add("fused", &options.fused,
           "fused: the detectors whose scores are added up, as log(1 + score / mean of the training data).")
      .used_if(with_fusion(options))
      .choices({"autoencoder", "segmenter", "likelihood", "rx", "area_filter", "local_rx", "crd"})
      .entries(1, 8);
  section
      .add("fused_weights", &options.fused_weights,
           "fused: the weight of each of these detectors; empty: all alike.")
      .used_if(with_fusion(options))
      .range(0, 1e3);
  section.used_if(with_detector(options, {"autoencoder"}));
  section
      .add("features", &options.features,
           "Channels at full resolution and after each halving of it: [48, 48, 48, 48] halves three times.")
      .range(1, 1024)
      .entries(2, 6);
  section
      .add("norm", &options.norm,
           "Normalisation after a convolution: none; layer (each pixel over its channels); batch (over the "
           "batch in "
           "training, frozen afterwards).")
      .choices({"none", "layer", "batch"});
  section.add("residual", &options.residual, "Residual connections y = F(x) + x in the encoder's blocks.");
  section.add("full_resolution_block", &options.full_resolution_block,
              "A residual block at full resolution, before the first halving.");
  section.add("decoder_blocks", &options.decoder_blocks,
              "A residual block after each stage of the decoder too.");
  section.add("input_skip", &options.input_skip,
              "Add the input to the output: the network then predicts what has to be taken away. For "
              "train.corruption "
              "defects; with holes it would hand on what fills the holes.");
  section
      .add(
          "lift", &options.lift,
          "From bands to features: spectral (convolution along the bands), factorised (along the bands, then "
          "over rows and columns), full (3-D kernel), linear (per-pixel layer alone).")
      .choices({"spectral", "factorised", "full", "linear"});
  const config::Use with_convolution{[&options] { return options.lift != "linear"; },
                                     "model.lift is not linear"};
  section.add("lift_channels", &options.lift_channels, "Kernels of the 3-D convolution.")
      .range(1, 256)
      .used_if(with_convolution);
  section.add("lift_kernel", &options.lift_kernel, "Kernel size over band, row and column.")
      .range(1, 31)
      .entries(3, 3)
      .used_if(with_convolution);
  section
      .add("lift_stride", &options.lift_stride, "Stride over band, row and column; rows and columns take 1.")
      .range(1, 31)
      .entries(3, 3)
      .used_if(with_convolution);
  section
      .add("lift_residual", &options.lift_residual,
           "Add a per-pixel linear projection of the bands to the lift.")
      .used_if(with_convolution);
  section.add("skip", &options.skip, "How an encoder stage reaches the decoder stage of its size.")
      .choices({"concat", "add", "none"});
  section
      .add("skip_channels", &options.skip_channels,
           "concat: channels that a skip connection is reduced to; 0 keeps them all.")
      .range(0, 1024)
      .used_if({[&options] { return options.skip == "concat"; }, "model.skip is concat"});
  section
      .add("skip_full_resolution", &options.skip_full_resolution,
           "Whether the full resolution has a skip connection too.")
      .used_if({[&options] { return options.skip != "none"; }, "model.skip is not none"});
  section.add("heads", &options.heads, "Heads of the self-attention at the bottleneck; 0 leaves it out.")
      .range(0, 64);
  section.add("upsample", &options.upsample, "How the decoder doubles the resolution.")
      .choices({"bilinear", "nearest", "transposed_conv"});
  section.used_if(with_detector(options, {"autoencoder", "segmenter"}));
  section
      .add("attention_window", &options.attention_window,
           "Attention reaches over windows of this many tokens squared, anchored at the image's corner; a "
           "token is "
           "2^levels pixels squared.")
      .range(1, 64);
  section
      .add("precision", &options.precision,
           "Arithmetic of the network: bfloat16 is about twice as fast on processors that have it, and slow "
           "on "
           "others. Thresholds hold for the precision that they were set in.")
      .choices({"float32", "bfloat16"});
  section.used_if();
}

bool takes_part(const ModelOptions& options, const std::vector<std::string>& detectors) {
  const auto is_one_of_them = [&](const std::string& name) {
    return std::find(detectors.begin(), detectors.end(), name) != detectors.end();
  };
  return options.detector == "fused" ? std::any_of(options.fused.begin(), options.fused.end(), is_one_of_them)
                                     : is_one_of_them(options.detector);
}

config::Use with_detector(const ModelOptions& options, std::vector<std::string> detectors) {
  const auto when = text::cat("model.detector is ", text::join(detectors, " or "), ", or fused with ",
                              detectors.size() > 1 ? "one of them" : "it");
  return {[&options, detectors = std::move(detectors)] { return takes_part(options, detectors); }, when};
}

config::Use with_fusion(const ModelOptions& options) {
  return {[&options] { return options.detector == "fused"; }, "model.detector is fused"};
}

}  // namespace hyperdefect::model
