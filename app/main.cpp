// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>  // says whether this is glibc

#ifdef __GLIBC__
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <string_view>
#endif

#include "app/cli/program.h"

namespace {

/// Each step of a training asks for the same large blocks again. By default the allocator hands every one of
/// them back to the kernel and gets it anew, zeroed page by page, which took a fifth of the time.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

// The sanitizer is not there yet when a .preinit_array runs.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

/// Threads of GNU OpenMP that wait for another one spin 300,000 times before they sleep. Where other programs
/// use the processors too, the one that they wait for does not get to run meanwhile: `detect` on two cores
/// beside two busy processes took seven times as long. A thirtieth of that costs nothing measurable on an
/// idle machine.
///
/// The library reads its environment when it is initialised, before main(): the program starts itself anew
/// with the variable set, unless the user has set it or the policy. From .preinit_array that takes
/// milliseconds, from main(), when LibTorch is initialised, a third of a second. No library is initialised
/// here, so that nothing but system calls may be used.
void spin_less(int /*argc*/, char** arguments, char** environment) {
  static char setting[] = "GOMP_SPINCOUNT=10000";
  constexpr std::array<std::string_view, 2> kSetByUser{"GOMP_SPINCOUNT=", "OMP_WAIT_POLICY="};
  std::array<char*, 4096> variables{};
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    const std::string_view variable(environment[count]);
    const auto names = [variable](std::string_view name) { return variable.starts_with(name); };
    if (count + 2 >= variables.size() || std::any_of(kSetByUser.begin(), kSetByUser.end(), names)) {
      return;
    }
    variables[count] = environment[count];
  }
  variables[count] = setting;
  // By its own name, not as /proc/self/exe: that is what ps and top show.
  std::array<char, PATH_MAX> program{};
  if (::readlink("/proc/self/exe", program.data(), program.size() - 1) > 0) {
    // Returns only where it fails, and then all goes on as it is.
    ::execve(program.data(), arguments, variables.data());
  }
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const kSpinLess)(int, char**, char**) = spin_less;

#endif

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  return hyperdefect::app::run_program(argc, argv);
}
