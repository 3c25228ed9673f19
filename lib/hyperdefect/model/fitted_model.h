// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/model/drift.h"
#include "hyperdefect/model/false_alarms.h"
#include "hyperdefect/model/model_file.h"
#include "hyperdefect/model/run_config.h"
#include "hyperdefect/model/score_calibration.h"
#include "hyperdefect/spectral/material_split.h"

namespace hyperdefect::model {

/// A detector that was fitted, with everything that is needed to use it elsewhere.
///
///     const FittedModel fitted = load_model("model.safetensors");
///     std::cout << fitted.config.detector.name << ", threshold " << fitted.threshold << '\n';
///     const auto scores = calibrated(raw_scores, fitted);
///     const auto defects = scores > fitted.threshold;
///
/// How to score a cube is shown in engine/predictor.h.
struct FittedModel {
  RunConfig config;
  std::shared_ptr<detector::Pipeline> detector;
  /// Tells the product (positive values) from what is around it, if data.region is automatic; none if the
  /// training cubes show nothing else than the product.
  std::optional<spectral::MaterialSplit> product;
  /// None if score.calibration is `none`.
  std::optional<ScoreCalibration> calibration;
  /// Of calibrated scores.
  double threshold = 0.0;
  /// An object is a defect if the sum of its scores above the threshold exceeds this.
  double min_evidence = 0.0;
  /// None of a detector that was fitted on a scene.
  std::optional<FalseAlarms> false_alarms;
  /// How the training cubes look as a whole; none of a detector that was fitted on a scene, of a few pixels,
  /// or of an earlier version.
  std::optional<DriftReference> drift;
  /// Quantiles of the calibrated training scores, at kQuantileLevels.
  std::vector<double> score_quantiles;
  std::int64_t training_cubes = 0;
  /// The smallest share of valid pixels among the training cubes, in [0, 1].
  double training_valid_share = 1.0;
  /// Whether references converted the training cubes to reflectance; unknown for a model of an earlier
  /// version.
  std::optional<bool> trained_on_reflectance;
  /// Fingerprint of what it was trained on and how; empty for a detector that was fitted on a scene.
  std::string training;
  std::string version;
  /// Fingerprint of the file it was read from; empty if it was not.
  std::string fingerprint;
};

/// The levels at which a model file keeps the quantiles of its training scores.
inline constexpr double kQuantileLevels[] = {0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0};

/// Why scores cannot be judged by the model, or "": a threshold, quantile or calibration that is not finite
/// or not one that a training gives, or a tensor of the detector that holds such values.
std::string fault_of(const FittedModel& model);

/// Sets calibration, threshold, evidence and quantiles from raw scores (n) of normal pixels, as the
/// configuration says. @throws InputError if there is no score, or the scores give no threshold that can be
/// used.
void set_threshold(FittedModel& model, const torch::Tensor& scores);

/// Raw scores of any shape on the scale of the threshold.
torch::Tensor calibrated(const torch::Tensor& scores, const FittedModel& model);

/// Writes one .safetensors file: the detector's tensors, and as metadata all the rest.
/// @throws InputError if the model has a fault_of(): it would accept anything.
void save_model(const std::filesystem::path& path, const FittedModel& model);

/// Memory is taken for what the file holds, never for what it claims: the tensors must fill the file, the
/// detector that its configuration describes must not need more than they, and it must have these tensors,
/// before one of them is read.
/// @throws ModelError if the file is missing, damaged, foreign, of another format, has a fault_of(), or
/// its tensors do not fit the configuration that it carries.
FittedModel load_model(const std::filesystem::path& path);

}  // namespace hyperdefect::model
