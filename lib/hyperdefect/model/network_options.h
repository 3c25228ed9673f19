// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/config/option.h"

namespace hyperdefect::model {

/// The section `model`: which detector, and every size and choice of its network.
struct ModelOptions {
  std::string detector = "autoencoder";
  std::vector<std::string> fused{"autoencoder", "segmenter", "area_filter", "rx"};
  std::vector<double> fused_weights;
  std::vector<std::int64_t> features{48, 48, 48, 48};
  std::string norm = "layer";
  bool residual = true;
  bool full_resolution_block = false;
  bool decoder_blocks = false;
  bool input_skip = false;
  std::string lift = "spectral";
  std::int64_t lift_channels = 8;
  std::vector<std::int64_t> lift_kernel{7, 3, 3};
  std::vector<std::int64_t> lift_stride{4, 1, 1};
  bool lift_residual = false;
  std::string skip = "concat";
  std::int64_t skip_channels = 8;
  bool skip_full_resolution = false;
  std::int64_t heads = 4;
  std::int64_t attention_window = 8;
  std::string upsample = "bilinear";
  std::string precision = "bfloat16";

  std::int64_t levels() const { return static_cast<std::int64_t>(features.size()) - 1; }
};

void declare(config::Section& section, ModelOptions& options);

/// Whether the score comes from one of these detectors, alone or in a fused one.
bool takes_part(const ModelOptions& options, const std::vector<std::string>& detectors);

/// For keys that only these detectors take. The options must outlive it.
config::Use with_detector(const ModelOptions& options, std::vector<std::string> detectors);
/// For keys of a fused score. The options must outlive it.
config::Use with_fusion(const ModelOptions& options);

}  // namespace hyperdefect::model
