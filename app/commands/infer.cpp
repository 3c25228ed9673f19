// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "app/commands/commands.h"
#include "app/commands/run_batch.h"
#include "app/commands/trained_model.h"
#include "hyperdefect/model/fitted_model.h"
#include "hyperdefect/model/threshold.h"
#include "hyperdefect/platform/device.h"

namespace hyperdefect::app {
namespace {

struct InferOptions {
  BatchOptions batch;
  std::string model;
};

ExitCode run(const InferOptions& options) {
  apply_log_options(options.batch.common);
  auto fitted = read_model(options.model);
  const auto config = config_for(*fitted, options.model, options.batch.common, Threshold::is_kept);
  const auto device = platform::device_of(config.run.device);
  fitted->config.threshold = config.threshold;
  fitted->config.data = config.data;
  fitted->config.drift = config.drift;
  if (config.threshold.method == model::ThresholdMethod::manual) {
    fitted->threshold = config.threshold.value;
    fitted->min_evidence = model::min_evidence_from(config.threshold, fitted->threshold);
  }
  const auto ram_mb = config.run.ram_mb;
  return run_batch(options.batch, {config, "infer", fitted->fingerprint, [fitted, ram_mb, device] {
                                     fitted->detector->to(device);
                                     return std::make_unique<engine::ModelScorer>(fitted, ram_mb);
                                   }});
}

}  // namespace

void add_infer(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<InferOptions>();
  auto* command = program.add_subcommand("infer", "Score cubes with a trained model.");
  command->add_option("-m,--model", options->model, "The model that `hyperdefect train` wrote.")
      ->type_name("FILE")
      ->required();
  add_batch_options(*command, options->batch);
  command->footer("Example: hyperdefect infer --model model.safetensors scans/ -o maps");
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace hyperdefect::app
