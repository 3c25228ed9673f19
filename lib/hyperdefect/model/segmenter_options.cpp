// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/segmenter_options.h"

namespace hyperdefect::model {

void declare(config::Section& section, SegmenterOptions& options) {
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
      .add("segmenter_snapshots", &options.snapshots,
           "segmenter: the weights of each network at the ends of so many last epochs score, and are "
           "averaged.")
      .range(1, 64);
  section
      .add("segmenter_draws", &options.draws,
           "segmenter: times that each snapshot looks at a scene, with other signs of its components each "
           "time.")
      .range(1, 64);
  section
      .add("segmenter_share", &options.share,
           "segmenter: the part of its networks that a training step trains, in turn. They learn faster than "
           "a "
           "reconstruction, and know their implants by heart when they learn too long.")
      .range(0.01, 1);
  section
      .add("segmenter_examples", &options.examples,
           "segmenter: implanted patches that each network learns from in an epoch; each serves several "
           "steps, with "
           "other signs and turns.")
      .range(1, 64);
  section
      .add("segmenter_ignored", &options.ignored,
           "segmenter: this part of the pixels, those that the classical maps find strangest, is no example "
           "of "
           "normal ones: they may be the scene's own defects.")
      .range(0, 0.5);
}

}  // namespace hyperdefect::model
