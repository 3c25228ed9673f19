// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/optim/adamw.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/model/run_config.h"

namespace hyperdefect::engine {

/// One line of the training's record.
struct EpochRecord {
  std::int64_t epoch = 0;
  std::int64_t steps = 0;
  double learning_rate = 0.0;
  double loss = 0.0;
  /// The loss on the held-out part; absent without one.
  std::optional<double> holdout_loss;
  double seconds = 0.0;
};

/// Everything that training needs to go on as if it had not been stopped. Random numbers need no state: each
/// epoch derives its own from the run's seed.
struct TrainingState {
  /// What is being trained on what; a checkpoint of another job is refused.
  std::string job;
  std::vector<EpochRecord> history;
  std::map<std::string, torch::Tensor> detector;
  std::map<std::string, torch::Tensor> optimizer;
  /// The detector of the best epoch so far by held-out loss; empty without a held-out part.
  std::map<std::string, torch::Tensor> best;
};

/// Writes the state to a file, whole or not at all. A training goes on from it in this order:
///
///     const TrainingState state = read_checkpoint(file, job);
///     check_state_fits(state, detector, options, file);
///     model::load_state(detector, state.detector, file.string());
///     load_optimizer_state(optimizer, detector, state.optimizer);
void write_checkpoint(const std::filesystem::path& path, const TrainingState& state);

/// @throws ModelError for a damaged file or a history that no training writes, UsageError if it belongs to
/// another job.
TrainingState read_checkpoint(const std::filesystem::path& path, const std::string& job);

/// Checks that a training of this module can go on from the state, before anything of it is used: that it
/// holds the module, the best one if there is a held-out loss, and Adam's moments of each trained
/// parameter, all of the right shapes and types and of possible values, and that its epochs are those of the
/// options.
/// @throws ModelError naming what is damaged in the file.
void check_state_fits(const TrainingState& state, const torch::nn::Module& module,
                      const model::TrainOptions& options, const std::filesystem::path& file);

/// Adam's moments and step counts of all trained parameters, by their names; 0 for one without a step yet.
std::map<std::string, torch::Tensor> optimizer_state(torch::optim::AdamW& optimizer,
                                                     const torch::nn::Module& module);
void load_optimizer_state(torch::optim::AdamW& optimizer, const torch::nn::Module& module,
                          const std::map<std::string, torch::Tensor>& state);

/// The record as CSV with a header line.
std::string history_csv(const std::vector<EpochRecord>& history);

}  // namespace hyperdefect::engine
