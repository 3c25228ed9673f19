// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/model/run_config.h"

namespace hyperdefect::app {

/// The options that several commands share.
struct CommonOptions {
  std::string built_in;
  std::vector<std::string> config_files;
  std::vector<std::string> assignments;
  std::optional<std::string> device;
  std::optional<std::int64_t> threads;
  std::optional<std::int64_t> ram_mb;
  std::optional<std::int64_t> seed;
  std::string log_level = "info";
  bool quiet = false;
};

/// Refuses an empty text, which a script gives whose variable is not set.
const CLI::Validator& not_empty();

/// -q and --log-level.
void add_log_options(CLI::App& command, CommonOptions& options);
/// --built-in, with the configuration that the command begins with.
void add_built_in_option(CLI::App& command, CommonOptions& options, const std::string& first);
/// --set.
void add_set_option(CLI::App& command, CommonOptions& options);
/// --config, --set, --device, --threads, --ram, --seed, and those for the log.
void add_run_options(CLI::App& command, CommonOptions& options);

/// Sets what is logged; every command calls it first.
void apply_log_options(const CommonOptions& options);
/// Reads the configuration files, left to right, then the assignments, then the named options, into `config`.
/// @throws ConfigError @return a line for each key that was set without effect.
[[nodiscard]] std::vector<std::string> apply_run_options(const CommonOptions& options,
                                                         model::RunConfig& config);

/// The configuration of a run that begins with a built-in one: what apply_run_options() makes of it, checked
/// as a whole; keys without an effect are warned of. @throws ConfigError, UsageError
model::RunConfig run_config(const CommonOptions& options);

}  // namespace hyperdefect::app
