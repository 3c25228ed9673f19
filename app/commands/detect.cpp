// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "app/commands/commands.h"
#include "app/commands/run_batch.h"
#include "hyperdefect/platform/device.h"

namespace hyperdefect::app {
namespace {

struct DetectOptions {
  BatchOptions batch;
  bool save_model = false;
};

ExitCode run(const DetectOptions& options) {
  apply_log_options(options.batch.common);
  const auto config = run_config(options.batch.common);
  platform::device_of(config.run.device);
  const std::string models = options.save_model ? options.batch.output : "";
  return run_batch(options.batch,
                   {config, "detect", "",
                    [config, models] { return std::make_unique<engine::SceneScorer>(config, models); },
                    options.save_model});
}

}  // namespace

void add_detect(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<DetectOptions>();
  auto* command = program.add_subcommand(
      "detect", "Find anomalies in scenes without training data: a detector is fitted on each scene itself.");
  add_batch_options(*command, options->batch);
  add_built_in_option(*command, options->batch.common, "single_scene");
  command->add_flag("--save-model", options->save_model,
                    "Keep each scene's detector as STEM_model.safetensors.");
  command->footer("Example: hyperdefect detect scene.img -o maps");
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace hyperdefect::app
