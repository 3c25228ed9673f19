// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/fitted_model.h"
#include "hyperdefect/engine/observer.h"
#include "hyperdefect/io/find_cubes.h"

namespace hyperdefect::engine {

/// A training of one model on defect-free cubes.
struct TrainJob {
  std::vector<io::CubeInput> cubes;
  std::filesystem::path output;
  RunConfig config;
  bool overwrite = false;
  bool resume = false;
};

/// The files that a training leaves beside MODEL.safetensors.
struct TrainFiles {
  explicit TrainFiles(const std::filesystem::path& model);
  std::filesystem::path model, checkpoint, metrics, config;
};

struct TrainReport {
  FittedModel model;
  FitReport fit;
  /// The model had been finished by an earlier run.
  bool was_finished = false;
};

/// Checks that the output can be written and replaces nothing unasked. @throws UsageError
void check_outputs(const TrainJob& job);

/// Trains and writes the model, the record of its epochs (CSV) and the effective configuration; the
/// checkpoint is removed when the model stands. @throws what fit() throws, InputError for a cube that cannot
/// be read.
TrainReport train(const TrainJob& job, Observer& observer);

}  // namespace hyperdefect::engine
