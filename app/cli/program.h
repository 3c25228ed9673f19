// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hyperdefect::app {

/// Parses the command line, runs the command, and turns every failure into one line on stderr and an exit
/// code.
int run_program(int argc, const char* const* argv);

}  // namespace hyperdefect::app
