// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "hyperdefect/core/error.h"

namespace hyperdefect::app {

/// Each declares a command on the program; when the command is parsed it runs and leaves its exit code in
/// `result`. What fails is thrown.
void add_train(CLI::App& program, ExitCode& result);
void add_infer(CLI::App& program, ExitCode& result);
void add_threshold(CLI::App& program, ExitCode& result);
void add_detect(CLI::App& program, ExitCode& result);
void add_eval(CLI::App& program, ExitCode& result);
void add_info(CLI::App& program, ExitCode& result);
void add_config(CLI::App& program, ExitCode& result);
void add_synth(CLI::App& program, ExitCode& result);

}  // namespace hyperdefect::app
