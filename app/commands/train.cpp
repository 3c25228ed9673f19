// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/common_options.h"
#include "app/cli/console.h"
#include "app/cli/inputs.h"
#include "app/cli/signals.h"
#include "app/cli/table.h"
#include "app/commands/commands.h"
#include "app/commands/model_report.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/engine/json_page.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/engine/references.h"
#include "hyperdefect/engine/trainer.h"
#include "hyperdefect/platform/device.h"

namespace hyperdefect::app {
namespace {

struct TrainOptions {
  CommonOptions common;
  std::vector<std::string> inputs;
  std::string output;
  bool overwrite = false;
  bool resume = false;
  bool dry_run = false;
  bool json = false;
};

void print_report(const TrainOptions& options, const engine::TrainReport& report) {
  const auto& model = report.model;
  if (options.json) {
    nlohmann::ordered_json json{{"model", options.output},
                                {"detector", model.config.detector.name},
                                {"training_cubes", model.training_cubes},
                                {"epochs", report.fit.history.size()},
                                {"kept_epoch", report.fit.kept_epoch},
                                {"threshold", model.threshold},
                                {"threshold_method", model::to_string(model.config.threshold.method)},
                                {"min_evidence", model.min_evidence},
                                {"false_alarms", false_alarms_json(model)}};
    std::cout << engine::json_page(json);
    return;
  }
  std::cout << text::printable(options.output) << ": " << model.config.detector.name << ", trained on "
            << text::pluralise(model.training_cubes, "cube");
  if (report.fit.kept_epoch > 0) {
    std::cout << ", " << text::pluralise(report.fit.kept_epoch, "epoch") << ", loss "
              << fixed(report.fit.history[static_cast<std::size_t>(report.fit.kept_epoch) - 1].loss, 4);
  }
  std::cout << '\n' << text_report(options.output, model);
}

ExitCode run(const TrainOptions& options) {
  apply_log_options(options.common);
  if (options.overwrite && options.resume) {
    throw UsageError("--overwrite and --resume contradict each other: give one");
  }
  engine::TrainJob job;
  job.config = run_config(options.common);
  engine::check_region(job.config.data);
  platform::use_threads(job.config.run.threads);
  Console console("look for cubes");
  job.cubes = engine::without_references(find_inputs(options.inputs), job.config.data);
  job.output = options.output;
  job.overwrite = options.overwrite;
  job.resume = options.resume;
  if (options.dry_run) {
    engine::check_outputs(job);
    console.clear();
    for (const auto& cube : job.cubes) {
      std::cout << text::printable(cube.path.string()) << '\n';
    }
    std::cout << "-> " << text::printable(options.output) << '\n';
    return ExitCode::ok;
  }
  console.progress({"open cubes", 0, 0, {}});
  const auto claim = engine::claim_outputs(job);
  const auto resume_hint =
      text::concat("; repeat the command with --resume to continue from the last finished epoch (",
                   engine::TrainFiles(job.output).checkpoint.string(), ")");
  const StopMessage stop_message("stopped" + resume_hint);
  try {
    const auto report = engine::train(job, console);
    console.clear();
    if (report.was_finished) {
      log::info(text::concat(options.output, " was already finished"));
    }
    print_report(options, report);
  } catch (const Interrupted& reason) {
    console.clear();
    throw Interrupted(reason.what() + resume_hint);
  }
  return ExitCode::ok;
}

}  // namespace

void add_train(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<TrainOptions>();
  auto* command = program.add_subcommand("train", "Train a model on defect-free cubes.");
  command
      ->add_option("INPUT", options->inputs,
                   "Cubes (data file or .hdr), folders (every cube below), quoted globs, @list.txt.")
      ->required();
  command->add_option("-o,--output", options->output, "The model to write, NAME.safetensors.")
      ->type_name("FILE")
      ->check(not_empty())
      ->required();
  command->add_flag("--overwrite", options->overwrite, "Replace a model that exists.");
  command->add_flag("--resume", options->resume,
                    "Continue an interrupted training from its last finished epoch.");
  command->add_flag("--dry-run", options->dry_run,
                    "Show what would be done, and check that it is possible. Write nothing.");
  command->add_flag("--json", options->json, "Print the result as JSON.");
  add_built_in_option(*command, options->common, "one_class");
  add_run_options(*command, options->common);
  command->footer("Example: hyperdefect train normal/ -o model.safetensors");
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace hyperdefect::app
