// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/config/option.h"
#include "hyperdefect/model/network_options.h"

namespace hyperdefect::model {

/// The keys of section `train` that say what the network learns: what its input is spoiled with, and the
/// loss.
struct LearningOptions {
  std::string corruption = "holes";
  std::vector<std::int64_t> hole_sizes_px{3, 5, 8, 12, 16};
  double hole_fraction = 0.3;
  double defect_fraction = 0.05;
  std::int64_t defect_max_px = 6;
  double defect_min_amplitude = 0.01;
  double defect_max_amplitude = 1.0;
  double defect_weight = 4.0;
  double gain = 0.0;
  double tilt = 0.0;
  std::string loss = "robust";
  double sad_weight = 0.0;
};

/// The section `score`: how the network's residual becomes an anomaly score.
struct ScoreOptions {
  std::string calibration = "tail";
  std::string passes = "masked";
  std::int64_t rounds = 1;
  double residual_weight = 1.0;
  double sad_weight = 0.0;
  double mahalanobis_weight = 0.0;
  double rx_weight = 0.0;
  double smoothing_px = 0.5;
  double spot_weight = 0.0;
  std::int64_t spot_area_px = 400;
};

/// @param model decides which keys a detector takes; it must outlive the section.
void declare(config::Section& section, ScoreOptions& options, const ModelOptions& model);

/// @param model decides which keys a detector takes, `score` whether holes are passed; both must outlive it.
void declare(config::Section& section, LearningOptions& options, const ModelOptions& model,
             const ScoreOptions& score);

}  // namespace hyperdefect::model
