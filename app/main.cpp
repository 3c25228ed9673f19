// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>  // says whether this is glibc

#ifdef __GLIBC__
#include <malloc.h>
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

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  return hyperdefect::app::run_program(argc, argv);
}
