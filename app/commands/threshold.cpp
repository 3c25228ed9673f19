// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/common_options.h"
#include "app/cli/console.h"
#include "app/cli/inputs.h"
#include "app/commands/commands.h"
#include "app/commands/model_report.h"
#include "app/commands/trained_model.h"
#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/recalibrate.h"
#include "hyperdefect/engine/references.h"
#include "hyperdefect/engine/trainer.h"
#include "hyperdefect/platform/device.h"

namespace hyperdefect::app {
namespace {

struct ThresholdOptions {
  CommonOptions common;
  std::vector<std::string> inputs;
  std::string model;
  std::string output;
  bool overwrite = false;
  bool json = false;
};

void check_output(const ThresholdOptions& options) {
  const std::filesystem::path output(options.output);
  engine::check_model_name(output);
  if (std::filesystem::exists(output) && !options.overwrite) {
    throw UsageError(
        text::concat(options.output,
                     " exists (a model): nothing was done; choose another name with -o, or replace it "
                     "with --overwrite"));
  }
  make_output_folder(output.parent_path());
}

ExitCode run(const ThresholdOptions& options) {
  apply_log_options(options.common);
  auto fitted = read_model(options.model);
  fitted->config = config_for(*fitted, options.model, options.common, Threshold::is_set_anew);
  check_output(options);
  platform::use_threads(fitted->config.run.threads);
  fitted->detector->to(platform::device_of(fitted->config.run.device));
  Console console("look for cubes");
  const auto cubes = engine::without_references(find_inputs(options.inputs), fitted->config.data);
  engine::recalibrate(*fitted, cubes, console);
  model::save_model(options.output, *fitted);
  console.clear();
  if (options.json) {
    std::cout << json_report(options.output, *fitted);
  } else {
    std::cout << text_report(options.output, *fitted);
  }
  return ExitCode::ok;
}

}  // namespace

void add_threshold(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<ThresholdOptions>();
  auto* command = program.add_subcommand(
      "threshold",
      "Set the threshold of a trained model anew, from normal cubes that it was not trained on.");
  command
      ->add_option("INPUT", options->inputs,
                   "Normal cubes (data file or .hdr), folders (every cube below), quoted globs, @list.txt.")
      ->required();
  command->add_option("-m,--model", options->model, "The model that `hyperdefect train` wrote.")
      ->type_name("FILE")
      ->required();
  command->add_option("-o,--output", options->output, "The model to write, NAME.safetensors.")
      ->type_name("FILE")
      ->check(not_empty())
      ->required();
  command->add_flag("--overwrite", options->overwrite, "Replace a model that exists.");
  command->add_flag("--json", options->json, "Print the result as JSON.");
  add_run_options(*command, options->common);
  command->footer("Example: hyperdefect threshold --model model.safetensors good/ -o new.safetensors");
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace hyperdefect::app
