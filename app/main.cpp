// SPDX-License-Identifier: Apache-2.0
// The start of the program. LibTorch and all else lie in a library of their own (cli/program_library.cpp),
// which is loaded only after the settings are made that it reads while it is loaded.
#include <dlfcn.h>

#include <cstdlib>  // says whether this is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <iostream>

#include "app/cli/program_library.h"

namespace {

/// Each step of a training asks for the same large blocks again. By default the allocator hands every one of
/// them back to the kernel and gets it anew, zeroed page by page, which took a fifth of the time.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

/// Threads of GNU OpenMP that wait for another one spin 300,000 times before they sleep. Where other programs
/// use the processors too, the one that they wait for does not get to run meanwhile: `detect` on two cores
/// beside two busy processes took seven times as long. A thirtieth of that costs nothing measurable on an
/// idle machine. What the user has set stays.
void spin_less() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) {
    ::setenv("GOMP_SPINCOUNT", "10000", /*overwrite=*/0);
  }
}

int fail() {
  std::cerr << "error: " << ::dlerror() << "; build or install the program again\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  spin_less();
  // It is never unloaded: threads of its libraries run until the end.
  void* const library = ::dlopen(HYPERDEFECT_PROGRAM_LIBRARY, RTLD_NOW);
  if (library == nullptr) {
    return fail();
  }
  const auto run = reinterpret_cast<decltype(&hyperdefect_run)>(::dlsym(library, "hyperdefect_run"));
  return run != nullptr ? run(argc, argv) : fail();
}
