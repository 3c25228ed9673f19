// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/segmenter_options.h"

namespace hyperdefect::model {

void declare(config::Section& section, SegmenterOptions& options, const ModelOptions& model) {
  section.used_if(with_detector(model, {"segmenter"}));
  section
      .add("segmenter_features", &options.features,
           "segmenter: channels at full resolution and after each halving of it.")
      .range(1, 1024)
      .entries(2, 6);
  section
      .add("segmenter_heads", &options.heads,
           "segmenter: heads of the self-attention at the bottleneck; 0 leaves it out.")
      .range(0, 64);
  section
      .add("segmenter_networks", &options.networks,
           "segmenter: networks that are trained side by side and averaged.")
      .range(1, 16);
  section
      .add("segmenter_draws", &options.draws,
           "segmenter: times that a scene is looked at, with other signs of its components each time.")
      .range(1, 64);
  section
      .add("segmenter_share", &options.share,
           "segmenter: the part of the training steps that each of its networks takes part in, in turn. They "
           "learn faster than a reconstruction, and know their implants by heart when they learn too long.")
      .range(0.01, 1);
  section
      .add(
          "segmenter_bound", &options.bound,
          "segmenter, in a fused score: what it adds at a pixel is at most this multiple of the mean of what "
          "the other detectors add there; 0: no bound. It finds in every scene what looks most like an "
          "implant, and does not know that a scene holds nothing.")
      .range(0, 1000)
      .used_if(with_fusion(model));
  section.used_if();
}

}  // namespace hyperdefect::model
