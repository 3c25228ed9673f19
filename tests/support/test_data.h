// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace hyperdefect::test {

/// The folder tests/data of the source tree; the build defines it.
const char* files_dir();

/// The folder with real data (HYPERDEFECT_TEST_DATA, else ../shared/data beside the source tree), or an empty
/// path.
inline std::filesystem::path data_dir() {
  const char* set = std::getenv("HYPERDEFECT_TEST_DATA");
  const std::filesystem::path dir = set != nullptr
                                        ? std::filesystem::path(set)
                                        : std::filesystem::path(files_dir()) / "../../../shared/data";
  return std::filesystem::is_directory(dir) ? std::filesystem::weakly_canonical(dir)
                                            : std::filesystem::path();
}

}  // namespace hyperdefect::test

#define HYPERDEFECT_NEEDS_DATA()                                                                \
  do {                                                                                          \
    if (hyperdefect::test::data_dir().empty()) {                                                \
      GTEST_SKIP() << "needs real data: set HYPERDEFECT_TEST_DATA to the folder that holds it"; \
    }                                                                                           \
  } while (false)
