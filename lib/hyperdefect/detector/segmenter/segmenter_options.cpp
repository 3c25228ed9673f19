// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/segmenter/segmenter_options.h"

#include "hyperdefect/detector/registry.h"

namespace hyperdefect::detector {

void declare(config::Section& section, SegmenterOptions& own, const DetectorOptions& all) {
  section.level(config::Level::expert);
  section.add("features", &own.features, "Channels at full resolution and after each halving of it.")
      .range(1, 1024)
      .entries(2, 6)
      .formerly("model.segmenter_features");
  section.add("heads", &own.heads, "Heads of the self-attention at the bottleneck; 0 leaves it out.")
      .range(0, 64)
      .formerly("model.segmenter_heads");
  section.add("networks", &own.networks, "Networks that are trained side by side; their scores are averaged.")
      .range(1, 16)
      .level(config::Level::advanced)
      .formerly("model.segmenter_networks");
  section
      .add("sign_augmentations", &own.sign_augmentations,
           "How often a scene is scored, with different signs of its components each time; the scores are "
           "averaged.")
      .range(1, 64)
      .level(config::Level::advanced)
      .formerly("model.segmenter_draws");
  section
      .add("step_fraction", &own.step_fraction,
           "The fraction of the training steps in which each network is trained; the networks take turns. A "
           "segmenter learns faster than an autoencoder, and memorises its implants if it is trained too "
           "long.")
      .range(0.01, 1)
      .formerly("model.segmenter_share");
  section
      .add("fusion_cap", &own.fusion_cap,
           "In an ensemble, what the segmenter adds at a pixel is at most this multiple of the mean of what "
           "the other members add there; 0: no limit. The segmenter finds in every scene what looks most "
           "like an implant, and does not know that a scene may be empty.")
      .range(0, 1000)
      .used_if(if_ensemble(all))
      .level(config::Level::advanced)
      .formerly("model.segmenter_bound");
}

}  // namespace hyperdefect::detector
