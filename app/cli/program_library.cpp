// SPDX-License-Identifier: Apache-2.0
#include "app/cli/program_library.h"

#include "app/cli/program.h"

int hyperdefect_run(int argc, const char* const* argv) {
  return hyperdefect::app::run_program(argc, argv);
}
