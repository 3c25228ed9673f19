// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/common_options.h"
#include "app/commands/commands.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/engine/json_page.h"
#include "hyperdefect/model/config_check.h"
#include "hyperdefect/model/run_config.h"

namespace hyperdefect::app {
namespace {

constexpr std::size_t kLineWidth = 100;

struct ShowOptions {
  CommonOptions common;
  bool annotated = false;
};

ExitCode show(const ShowOptions& options) {
  apply_log_options(options.common);
  model::RunConfig config;
  // Bound before the values come, so that the comments tell the defaults.
  const auto schema = model::schema_of(config);
  config = run_config(options.common);
  std::cout << (options.annotated ? schema.to_annotated_yaml() : schema.to_yaml());
  return ExitCode::ok;
}

struct CheckOptions {
  CommonOptions common;
  std::vector<std::string> files;
};

/// Reads a file as a run would that begins with the built-in configuration, and names what has no effect.
/// @throws ConfigError
void check_file(const std::string& file, const std::string& built_in) {
  model::RunConfig config;
  model::read_built_in(built_in, config);
  auto schema = model::file_schema_of(config);
  schema.read_file(file);
  try {
    model::check_config(config);
  } catch (const ConfigError& reason) {
    throw ConfigError(text::concat(text::printable(file), ": ", reason.what()));
  }
  for (const auto& line : schema.remarks()) {
    log::warning(text::concat(text::printable(file), ": ", line));
  }
}

/// Checks each file by itself, so that the faults of all files come at once.
ExitCode check(const CheckOptions& options) {
  apply_log_options(options.common);
  std::vector<std::string> faults;
  for (const auto& file : options.files) {
    try {
      check_file(file, options.common.built_in);
      std::cout << text::printable(file) << ": ok\n";
    } catch (const ConfigError& reason) {
      faults.emplace_back(reason.what());
    }
  }
  if (!faults.empty()) {
    throw ConfigError(text::join(faults, "\n"));
  }
  return ExitCode::ok;
}

struct KeysOptions {
  CommonOptions common;
  bool all = false;
  bool json = false;
};

/// The values of all keys in a built-in configuration, in the order of the keys.
struct BuiltInValues {
  std::string name;
  std::vector<std::string> values;
};

std::vector<BuiltInValues> built_in_values() {
  std::vector<BuiltInValues> all;
  for (const auto& name : model::built_in_names()) {
    model::RunConfig config;
    model::read_built_in(name, config);
    all.push_back({name, {}});
    for (const auto& key : model::schema_of(config).keys()) {
      all.back().values.push_back(key.value_text);
    }
  }
  return all;
}

/// The text in lines, each indented.
std::string indented(const std::string& text) {
  std::istringstream words(text);
  std::string lines;
  std::string line = "   ";
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kLineWidth) {
      lines += line + '\n';
      line = "   ";
    }
    line += ' ' + word;
  }
  return lines + line + '\n';
}

/// A key's type, range and default, and its value in the built-in configurations that have another.
std::string facts(const config::KeyInfo& key, const std::vector<BuiltInValues>& built_in, std::size_t place) {
  auto facts =
      text::concat(key.type, key.allowed.empty() ? "" : ": ", key.allowed, "; default ", key.default_text);
  for (const auto& config : built_in) {
    if (config.values[place] != key.default_text) {
      facts += text::concat("; in ", config.name, ' ', config.values[place]);
    }
  }
  return facts;
}

const char* name_of(config::Level level) {
  switch (level) {
    case config::Level::basic:
      return "basic";
    case config::Level::advanced:
      return "advanced";
    case config::Level::expert:
      break;
  }
  return "expert";
}

void print_keys(const std::vector<config::KeyInfo>& keys, const std::vector<BuiltInValues>& built_in,
                config::Level level) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].level == level) {
      std::cout << keys[i].name << '\n' << indented(keys[i].help) << indented(facts(keys[i], built_in, i));
    }
  }
}

/// The keys that most users turn; or all of them, by level.
void print_keys(const std::vector<config::KeyInfo>& keys, const std::vector<BuiltInValues>& built_in,
                bool all) {
  if (!all) {
    print_keys(keys, built_in, config::Level::basic);
    std::cout << "\nThese are the basic keys. `hyperdefect config keys --all` lists all " << keys.size()
              << ".\n";
    return;
  }
  for (const auto level : {config::Level::basic, config::Level::advanced, config::Level::expert}) {
    std::cout << (level == config::Level::basic ? "" : "\n") << "# " << name_of(level) << '\n';
    print_keys(keys, built_in, level);
  }
}

void print_keys_json(const std::vector<config::KeyInfo>& keys, const std::vector<BuiltInValues>& built_in) {
  auto json = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& key = keys[i];
    json.push_back({{"key", key.name},
                    {"level", name_of(key.level)},
                    {"type", key.type},
                    {"allowed", key.allowed},
                    {"default", key.default_text},
                    {"help", key.help}});
    for (const auto& config : built_in) {
      json.back()["built_in"][config.name] = config.values[i];
    }
  }
  std::cout << engine::json_page(json);
}

ExitCode list_keys(const KeysOptions& options) {
  apply_log_options(options.common);
  model::RunConfig config;
  const auto keys = model::schema_of(config).keys();
  if (options.json) {
    print_keys_json(keys, built_in_values());
  } else {
    print_keys(keys, built_in_values(), options.all);
  }
  return ExitCode::ok;
}

void add_show(CLI::App& config, ExitCode& result) {
  auto options = std::make_shared<ShowOptions>();
  auto* command = config.add_subcommand("show", "Print the configuration that a run would have, as YAML.");
  command->add_option("FILE", options->common.config_files, "YAML files with settings; later files win.");
  add_built_in_option(*command, options->common, "one_class");
  add_set_option(*command, options->common);
  command->add_flag("--annotated", options->annotated, "Explain each key in a comment.");
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect config show --built-in single_scene --annotated > my.yaml");
  command->callback([options, &result] { result = show(*options); });
}

void add_check(CLI::App& config, ExitCode& result) {
  auto options = std::make_shared<CheckOptions>();
  auto* command = config.add_subcommand("check", "Check configuration files and name all faults at once.");
  command->add_option("FILE", options->files, "YAML files with settings; each is checked by itself.")
      ->required();
  add_built_in_option(*command, options->common, "one_class");
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect config check my.yaml");
  command->callback([options, &result] { result = check(*options); });
}

void add_keys(CLI::App& config, ExitCode& result) {
  auto options = std::make_shared<KeysOptions>();
  auto* command = config.add_subcommand("keys", "List the keys with their meaning, range and default.");
  command->add_flag("--all", options->all, "List all keys by level, not only the basic ones.");
  command->add_flag("--json", options->json, "Print all keys as JSON.");
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect config keys");
  command->callback([options, &result] { result = list_keys(*options); });
}

}  // namespace

void add_config(CLI::App& program, ExitCode& result) {
  auto* command = program.add_subcommand("config", "Show, check and explain the configuration.");
  command->require_subcommand(1);
  add_show(*command, result);
  add_check(*command, result);
  add_keys(*command, result);
  command->footer("Example: hyperdefect config show --annotated > my.yaml");
}

}  // namespace hyperdefect::app
