// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <set>

#include "app/cli/console.h"
#include "app/commands/commands.h"
#include "app/commands/run_batch.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/model/fitted_model.h"
#include "hyperdefect/platform/device.h"

namespace hyperdefect::app {
namespace {

struct InferOptions {
  BatchOptions batch;
  std::string model;
};

/// The configuration may repeat what the model was trained with, but not contradict it; of the threshold it
/// may only set a value, since the training scores are not at hand.
void refuse_contradictions(const std::string& path, model::RunConfig& trained, model::RunConfig& asked) {
  const auto before = model::schema_of(trained).keys();
  const auto after = model::schema_of(asked).keys();
  const bool manual = asked.threshold.method == model::ThresholdMethod::manual;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].value_text == after[i].value_text) {
      continue;
    }
    const auto& key = before[i].name;
    if (before[i].traits.fixed_by_training) {
      throw UsageError(text::concat(key, " is ", after[i].value_text, ", but ", path, " was trained with ",
                                    before[i].value_text, ": leave it out, or train another model"));
    }
    const bool sets_threshold = key.rfind("threshold.", 0) == 0 && key != "threshold.min_pixels";
    if (sets_threshold && !manual) {
      throw UsageError(text::concat(key, ": the threshold of ", path,
                                    " was set when it was trained; infer can only replace it with ",
                                    "threshold.method=manual and threshold.value"));
    }
  }
}

/// A file that states the region of the training cubes says nothing of others, and a model may come from
/// elsewhere: the user says what holds now.
void forget_region_file(model::RunConfig& config) {
  if (engine::names_a_file(config.data)) {
    config.data.region.clear();
  }
}

void refuse_unknown_region(const std::string& path, const model::RunConfig& trained,
                           const model::RunConfig& config) {
  const auto& asked = config.data.region;
  if (model::automatic_region(asked) && asked != trained.data.region) {
    throw UsageError(text::concat("data.region is ", asked, ", but ", path, " was trained with ",
                                  trained.data.region, ", so that it does not know the background: give a ",
                                  "file, a folder of masks or none, or train another model"));
  }
  if (config.data.region.empty()) {
    throw UsageError(text::concat(
        path, " was trained inside a region (data.region=", trained.data.region,
        "): give that of these cubes with --set data.region=..., a file or a folder of masks, or none"));
  }
}

std::shared_ptr<model::FittedModel> read_model(const std::string& file) {
  const Console console("read the model");
  return std::make_shared<model::FittedModel>(model::load_model(file));
}

ExitCode run(const InferOptions& options) {
  apply_log_options(options.batch.common);
  auto fitted = read_model(options.model);
  auto trained = fitted->config;
  auto config = trained;
  forget_region_file(config);
  const auto remarks = apply_run_options(options.batch.common, config);
  refuse_unknown_region(options.model, trained, config);
  refuse_contradictions(options.model, trained, config);
  for (const auto& line : remarks) {
    log::warning(line);
  }
  const auto device = platform::device_of(config.run.device);
  fitted->config.data = config.data;
  if (config.threshold.method == model::ThresholdMethod::manual) {
    fitted->threshold = config.threshold.value;
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
