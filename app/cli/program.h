// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace hyperdefect::app {

/// What an exception that is not ours says: its first line, since LibTorch puts a trace of its own stack
/// behind it; all of it if debug lines are logged.
std::string foreign_message(const std::exception& reason);

/// Parses the command line, runs the command, and turns every failure into one line on stderr and an exit
/// code. A result that cannot be written to stdout is a failure too, exit code 1; without a line if only the
/// reader has gone (a broken pipe).
int run_program(int argc, const char* const* argv);

}  // namespace hyperdefect::app
