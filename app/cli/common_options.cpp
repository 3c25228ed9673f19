// SPDX-License-Identifier: Apache-2.0
#include "app/cli/common_options.h"

#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/model/config_check.h"

namespace hyperdefect::app {
namespace {

/// Of what a message quotes from the command line.
constexpr std::size_t kLongestQuote = 200;

std::string quoted(const std::string& words) {
  return text::shortened(words, kLongestQuote);
}

/// An option that may be repeated and takes one value each time, so that an input may follow it.
CLI::Option* one_value(CLI::Option* option) {
  return option->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

const CLI::Validator& not_empty() {
  static const CLI::Validator validator(
      [](const std::string& text) {
        return text.empty() ? std::string("the name is empty: is a variable of your script not set?")
                            : std::string();
      },
      "", "not_empty");
  return validator;
}

void add_log_options(CLI::App& command, CommonOptions& options) {
  command
      .add_option("--log-level", options.log_level,
                  "The lowest level that is written to stderr: " + text::join(log::level_names(), ", ") +
                      "; progress is shown at info and debug")
      ->type_name("LEVEL")
      ->capture_default_str();
  command.add_flag("-q,--quiet", options.quiet,
                   "Write only errors to stderr, whatever --log-level says. Results still go to stdout.");
}

void add_built_in_option(CLI::App& command, CommonOptions& options, const std::string& first) {
  options.built_in = first;
  command
      .add_option("--built-in", options.built_in,
                  "The built-in configuration to start from: " + text::join(model::built_in_names(), ", "))
      ->type_name("NAME")
      ->capture_default_str();
}

void add_set_option(CLI::App& command, CommonOptions& options) {
  one_value(command.add_option("--set", options.assignments,
                               "One setting, section.key=value; repeatable, wins over files."))
      ->type_name("KEY=VALUE");
}

void add_run_options(CLI::App& command, CommonOptions& options) {
  one_value(command.add_option("-c,--config", options.config_files,
                               "YAML file with settings; repeatable, later files win."))
      ->type_name("FILE");
  add_set_option(command, options);
  command.add_option("--device", options.device, "Where networks run: auto, cpu, cuda (run.device).")
      ->type_name("NAME");
  command
      .add_option("--threads", options.threads,
                  "Threads for computing; 0: one for each usable processor (run.threads).")
      ->type_name("N");
  command.add_option("--ram", options.ram_mb, "Memory for cubes and maps in MB (run.ram_mb).")
      ->type_name("MB");
  command.add_option("--seed", options.seed, "Seed of all random numbers (run.seed).")->type_name("N");
  add_log_options(command, options);
}

void apply_log_options(const CommonOptions& options) {
  log::set_level(options.log_level);
  if (options.quiet) {
    log::set_level("error");
  }
}

std::vector<std::string> apply_run_options(const CommonOptions& options, model::RunConfig& config) {
  auto schema = model::file_schema_of(config);
  for (const auto& file : options.config_files) {
    schema.read_file(file);
  }
  for (const auto& assignment : options.assignments) {
    schema.set(assignment, quoted("--set " + assignment));
  }
  const auto set_named = [&schema](const char* flag, const char* key, const auto& value) {
    if (value) {
      schema.set(text::concat(key, '=', *value), quoted(text::concat(flag, ' ', *value)));
    }
  };
  set_named("--device", "run.device", options.device);
  set_named("--threads", "run.threads", options.threads);
  set_named("--ram", "run.ram_mb", options.ram_mb);
  set_named("--seed", "run.seed", options.seed);
  return schema.remarks();
}

model::RunConfig run_config(const CommonOptions& options) {
  model::RunConfig config;
  model::read_built_in(options.built_in, config);
  const auto remarks = apply_run_options(options, config);
  model::check_config(config);
  for (const auto& line : remarks) {
    log::warning(line);
  }
  return config;
}

}  // namespace hyperdefect::app
