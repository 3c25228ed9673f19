// SPDX-License-Identifier: Apache-2.0
#include "app/cli/program.h"

#include <CLI/CLI.hpp>
#include <array>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "app/cli/signals.h"
#include "app/commands/commands.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/version.h"

namespace hyperdefect::app {
namespace {

constexpr std::array kCommands{add_train, add_infer, add_detect, add_eval, add_info, add_config, add_synth};

int fail(const std::string& message, ExitCode code) {
  log::error(message);
  return static_cast<int>(code);
}

/// A foreign exception's first line: LibTorch puts a trace of its own stack behind it.
std::string first_line(const std::string& message) {
  return log::enabled(log::Level::debug) ? message : message.substr(0, message.find('\n'));
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
  return text::cat("no command is named '", words.front(), "': take one of ", text::join(names, ", "));
}

/// Help, version and wrong arguments all arrive as CLI11's parse errors.
int report_parse(const CLI::App& program, const CLI::ParseError& reason) {
  if (reason.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    program.exit(reason);
    return static_cast<int>(ExitCode::ok);
  }
  const auto* command = program.get_subcommands().empty() ? &program : program.get_subcommands().front();
  const std::string name = command == &program ? "hyperdefect" : "hyperdefect " + command->get_name();
  return fail(text::cat(fault_of(program, reason), "; see `", name, " --help`"), ExitCode::usage);
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  CLI::App program("Finds defects in hyperspectral images.", "hyperdefect");
  program.set_version_flag("--version", "hyperdefect " + version(), "Print the version and leave.");
  program.require_subcommand(1);
  program.footer("Example: hyperdefect detect scene.img -o maps\n`hyperdefect COMMAND --help` tells more.");
  ExitCode result = ExitCode::ok;
  for (const auto add : kCommands) {
    add(program, result);
  }
  try {
    const StopOnSignals stop_on_signals;
    program.parse(argc, argv);
    return static_cast<int>(result);
  } catch (const CLI::ParseError& reason) {
    return report_parse(program, reason);
  } catch (const Error& reason) {
    return fail(reason.what(), reason.exit_code());
  } catch (const std::bad_alloc&) {
    return fail("out of memory: lower run.ram_mb (--ram) or train.patch_px", ExitCode::failed);
  } catch (const std::exception& reason) {
    return fail(first_line(reason.what()), ExitCode::failed);
  }
}

}  // namespace hyperdefect::app
