// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/config/option.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/nn/network_options.h"

namespace hyperdefect::detector {

/// What the network's input is spoiled with, and so what it learns to undo.
enum class Corruption { mask, synthetic_defect };

/// What the network's output is compared by; see nn/losses.h.
enum class ReconstructionLoss { root_mean_square, squared };

/// Whether a pixel's prediction has seen the pixel.
enum class Inference { plain, masked };

/// What the network learns.
struct LearningOptions {
  Corruption corruption = Corruption::mask;
  std::vector<std::int64_t> mask_sizes_px{3, 5, 8, 12, 16};
  double mask_fraction = 0.3;
  double defect_fraction = 0.05;
  std::int64_t defect_max_px = 6;
  double defect_min_amplitude = 0.01;
  double defect_max_amplitude = 1.0;
  double defect_weight = 4.0;
  double gain = 0.0;
  double tilt = 0.0;
  ReconstructionLoss loss = ReconstructionLoss::root_mean_square;
  double sad_loss_weight = 0.0;
};

/// How the network's residual becomes a score.
struct ScoreOptions {
  Inference inference = Inference::masked;
  std::int64_t mask_repeats = 1;
  double residual_weight = 1.0;
  double sad_weight = 0.0;
  double mahalanobis_weight = 0.0;
  double rx_weight = 0.0;
  double smoothing_px = 0.5;
};

/// The section `autoencoder`. The network's attention window and precision come from DetectorOptions.
///
///     DetectorOptions options;
///     auto& own = options.of<AutoencoderOptions>();
///     own.network.features = {32, 48, 64};
///     own.learning.corruption = Corruption::synthetic_defect;
///     own.score.inference = Inference::plain;
struct AutoencoderOptions {
  nn::NetworkOptions network;
  LearningOptions learning;
  ScoreOptions score;
};

void declare(config::Section& section, AutoencoderOptions& own, const DetectorOptions& all);

}  // namespace hyperdefect::detector
