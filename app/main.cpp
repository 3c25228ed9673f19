// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "app/cli/program.h"

namespace {

/// OpenMP's threads wait for work by spinning. Where other programs want the processor too, that costs a
/// multiple of what it saves: on two cores with three other processes a training took five times as long. The
/// run-time reads its settings when it is loaded, before main(), so they are made before that; a user's own
/// setting stands.
void let_threads_sleep(int, char**, char**) {
  ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
}

__attribute__((section(".preinit_array"), used)) void (*g_before_libraries)(int, char**,
                                                                            char**) = let_threads_sleep;

}  // namespace

int main(int argc, char** argv) {
  return hyperdefect::app::run_program(argc, argv);
}
