// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/common_options.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/engine/batch.h"

namespace hyperdefect::app {

/// What infer and detect have in common on the command line.
struct BatchOptions {
  CommonOptions common;
  std::vector<std::string> inputs;
  std::string output;
  bool overwrite = false;
  bool resume = false;
  bool dry_run = false;
  bool json = false;
  bool fail_on_defect = false;
};

void add_batch_options(CLI::App& command, BatchOptions& options);

/// A batch ready to run: how its cubes are scored is made only when there is work to do.
struct PreparedBatch {
  model::RunConfig config;
  std::string command;
  std::string model_fingerprint;
  std::function<std::unique_ptr<engine::CubeScorer>()> make_scorer;
  /// Whether the scorer writes STEM_model.safetensors too.
  bool saves_models = false;
};

/// Finds the cubes, checks the outputs, scores, and prints the table (or the summary as JSON).
ExitCode run_batch(const BatchOptions& options, const PreparedBatch& prepared);

}  // namespace hyperdefect::app
