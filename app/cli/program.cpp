// SPDX-License-Identifier: Apache-2.0
#include "app/cli/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/signals.h"
#include "app/cli/standard_files.h"
#include "app/commands/commands.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/version.h"

namespace hyperdefect::app {
namespace {

constexpr std::array kCommands{add_train, add_infer, add_threshold, add_detect,
                               add_eval,  add_info,  add_config,    add_synth};

int fail(const std::string& message, ExitCode code) {
  log::error(message);
  return static_cast<int>(code);
}

/// For what has several lines by its nature, as the faults of a configuration.
int fail_in_lines(const std::string& message, ExitCode code) {
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    log::error(line);
  }
  return static_cast<int>(code);
}

/// CLI11 asks for a command even where there is one that it does not know.
std::string fault_of(const CLI::App& program, const CLI::ParseError& reason) {
  const auto words = program.remaining();
  if (!program.get_subcommands().empty() || words.empty() || words.front().starts_with('-')) {
    return reason.what();
  }
  std::vector<std::string> names;
  for (const auto* command : program.get_subcommands(nullptr)) {
    names.push_back(command->get_name());
  }
  return text::concat("no command is named '", words.front(), "': choose one of ", text::join(names, ", "));
}

/// Help, version and wrong arguments all arrive as CLI11's parse errors.
int report_parse(const CLI::App& program, const CLI::ParseError& reason) {
  if (reason.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    program.exit(reason);
    return static_cast<int>(ExitCode::ok);
  }
  const auto* command = program.get_subcommands().empty() ? &program : program.get_subcommands().front();
  const std::string name = command == &program ? "hyperdefect" : "hyperdefect " + command->get_name();
  return fail(text::concat(fault_of(program, reason), "; see `", name, " --help`"), ExitCode::usage);
}

/// Whether CLI11 would take the word for something else than a path: a list in brackets, or the end of a
/// command.
bool is_misread(const std::string& word) {
  return word == "++" || (word.starts_with('[') && word.ends_with(']'));
}

/// The arguments so that CLI11 reads each one as it is meant: what stands behind -- is a path, even if it
/// begins with a dash.
/// @throws UsageError for an option whose value is empty: CLI11 would take the next argument for it.
std::vector<std::string> plain_arguments(int argc, const char* const* argv) {
  std::vector<std::string> words;
  bool only_paths = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!only_paths && word == "--") {
      only_paths = true;
    } else if (is_misread(word) || (only_paths && word.starts_with('-'))) {
      words.push_back("./" + word);
    } else if (!only_paths && word.starts_with("--") && word.find('=') + 1 == word.size()) {
      throw UsageError(text::concat(word, " has no value: write ", word, "VALUE"));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

int run_command(int argc, const char* const* argv) {
  CLI::App program("Finds defects in hyperspectral images.", "hyperdefect");
  program.set_version_flag("--version", "hyperdefect " + version(), "Print the version and exit.");
  program.require_subcommand(1);
  program.footer(
      "Example: hyperdefect detect scene.img -o maps\n`hyperdefect COMMAND --help` describes a command.");
  ExitCode result = ExitCode::ok;
  for (const auto add : kCommands) {
    add(program, result);
  }
  try {
    const StopOnSignals stop_on_signals;
    auto words = plain_arguments(argc, argv);
    // CLI11 takes the last argument first.
    std::reverse(words.begin(), words.end());
    program.parse(std::move(words));
    return static_cast<int>(result);
  } catch (const CLI::ParseError& reason) {
    return report_parse(program, reason);
  } catch (const ConfigError& reason) {
    return fail_in_lines(reason.what(), reason.exit_code());
  } catch (const Error& reason) {
    return fail(reason.what(), reason.exit_code());
  } catch (const std::bad_alloc&) {
    return fail("out of memory: lower run.ram_mb (--ram) or train.patch_px", ExitCode::failed);
  } catch (const std::exception& reason) {
    return fail_in_lines(foreign_message(reason), ExitCode::failed);
  }
}

/// The exit code of a command whose results could not all be printed.
int output_failed(int code, int reason) {
  const bool was_done = code == static_cast<int>(ExitCode::ok) ||
                        code == static_cast<int>(ExitCode::partial) ||
                        code == static_cast<int>(ExitCode::defect_found);
  const auto message = text::concat("cannot write to stdout: ", std::strerror(reason));
  if (reason == EPIPE) {
    // Whoever reads has enough, as `head` has: nothing to complain about.
    log::debug(message);
  } else {
    log::error(message);
  }
  return was_done ? static_cast<int>(ExitCode::failed) : code;
}

}  // namespace

std::string foreign_message(const std::exception& reason) {
  const std::string message = reason.what();
  return log::enabled(log::Level::debug) ? message : message.substr(0, message.find('\n'));
}

int run_program(int argc, const char* const* argv) {
  open_standard_files();
  let_writes_fail();
  CheckedOutput output;
  const int code = run_command(argc, argv);
  const int reason = output.finish();
  return reason == 0 ? code : output_failed(code, reason);
}

}  // namespace hyperdefect::app
