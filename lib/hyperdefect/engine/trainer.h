// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "hyperdefect/core/file_lock.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/files/find_cubes.h"
#include "hyperdefect/model/fitted_model.h"

namespace hyperdefect::engine {

/// A training of one model on defect-free cubes.
struct TrainJob {
  std::vector<files::CubeInput> cubes;
  std::filesystem::path output;
  model::RunConfig config;
  bool overwrite = false;
  bool resume = false;
};

/// @throws UsageError if the name of a model to write does not end in .safetensors.
void check_model_name(const std::filesystem::path& file);

/// The files that a training leaves beside MODEL.safetensors.
struct TrainFiles {
  explicit TrainFiles(const std::filesystem::path& model);
  std::filesystem::path model, checkpoint, metrics, config, lock;
};

struct TrainReport {
  model::FittedModel model;
  FitReport fit;
  /// The model had been finished by an earlier run.
  bool was_finished = false;
};

/// Holds the model's name for this training, as long as the result lives, and checks that the output can be
/// written and replaces nothing unasked. @throws UsageError, also naming the training that holds the name.
FileLock claim_outputs(const TrainJob& job);

/// Looks whether claim_outputs() would take the outputs now, without making or changing anything.
/// @throws UsageError as claim_outputs() does.
void check_outputs(const TrainJob& job);

/// Trains and writes the model, the record of its epochs (CSV) and the effective configuration; the
/// checkpoint is removed when the model stands. A model or checkpoint is only taken over by `resume` if the
/// configuration and the cubes (their paths, sizes and times) are those that it was made with.
///
///     TrainJob job;
///     job.cubes = files::find_cubes({"normal/"}).cubes;
///     job.output = "model.safetensors";
///     model::read_built_in("one_class", job.config);
///     ProgressMonitor monitor;
///     const auto claim = claim_outputs(job);
///     const TrainReport report = train(job, monitor);
///
/// @throws what fit() throws, InputError for a cube that cannot be read or changed while it was read.
TrainReport train(const TrainJob& job, ProgressMonitor& monitor);

}  // namespace hyperdefect::engine
