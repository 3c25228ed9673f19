// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/engine/checkpoint.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/model/fitted_model.h"
#include "hyperdefect/model/run_config.h"
#include "hyperdefect/preprocess/block_source.h"
#include "hyperdefect/preprocess/extreme_pixels.h"

namespace hyperdefect::engine {

/// What a detector is fitted to, and how.
struct FitJob {
  std::vector<std::shared_ptr<preprocess::BlockSource>> sources;
  model::TrainOptions train;
  std::int64_t ram_mb = 4096;
  std::uint64_t seed = 0;
  /// Where a checkpoint is written after each epoch; none if empty.
  std::filesystem::path checkpoint;
  /// Go on from the checkpoint if there is one. @see TrainingState::job
  bool resume = false;
  std::string job;
  /// Hand out what the calibration measured, if one block holds the only cube.
  bool keep_measured = false;
  /// What leave_out_extremes() keeps from the sources; none if it was not called.
  std::shared_ptr<preprocess::ExtremePixels> extremes;
};

/// What was measured in a cube that is one block; its scores need nothing else.
struct MeasuredScene {
  preprocess::Preprocessed pixels;
  detector::Measurement measurement;
};

struct FitReport {
  std::vector<EpochRecord> history;
  /// The epoch whose weights were kept, counted from 1; 0 if nothing was trained by gradient.
  std::int64_t kept_epoch = 0;
  std::optional<MeasuredScene> measured{};
};

/// A detector that was fitted to one cube, and what it measured there, if that is known.
struct FittedScene {
  model::FittedModel model;
  std::optional<MeasuredScene> measured{};
};

/// Fits a detector: a pass for the statistics, training by gradient if there is something to train, and a
/// pass that calibrates the score. `train` and `detect` both come here. The result depends on the seed and
/// the number of threads, not on interruptions.
/// @throws ModelError if a source's bands do not match or the checkpoint is damaged, InputError if
/// there is too little to learn from or what was learned is not finite,
///         Interrupted if the monitor asks to stop (the last epoch's checkpoint stands).
FitReport fit(detector::Pipeline& detector, const FitJob& job, ProgressMonitor& monitor);

/// Makes the detector that model.config names, on its device, for the bands of the first source; those that
/// are left out as noise (without_noise_bands) go into the model's configuration.
/// @throws InputError if no band is left or a source cannot be read, ConfigError if options do not fit.
void make_detector(model::FittedModel& model,
                   const std::vector<std::shared_ptr<preprocess::BlockSource>>& sources);

/// Keeps pixels with values far outside the usual range out of the job's sources (ExtremePixels), for a model
/// whose detector was made and matches them. fit() says how many they are.
/// @throws InputError if a source cannot be read.
void leave_out_extremes(FitJob& job, const model::FittedModel& model);

/// Makes the detector that the configuration names and fits it to one cube, defects included.
///
///     model::RunConfig config;
///     model::read_built_in("single_scene", config);
///     CubeSource cube("scene.img", config.data);
///     ProgressMonitor monitor;
///     cube.prepare_to_fit(config.detector.preprocess, monitor);
///     const FittedScene scene = fit_scene(cube, config, 7, monitor);
///     const detector::ScoreMaps maps = maps_of(scene, cube, monitor);
FittedScene fit_scene(preprocess::BlockSource& source, const model::RunConfig& config, std::uint64_t seed,
                      ProgressMonitor& monitor);

/// The maps of the cube that the scene was fitted to, with its own scores. @throws Interrupted
detector::ScoreMaps maps_of(const FittedScene& scene, preprocess::BlockSource& source,
                            ProgressMonitor& monitor);

}  // namespace hyperdefect::engine
