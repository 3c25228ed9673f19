// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/error.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "hyperdefect/core/version.h"

namespace hyperdefect {
namespace {

/// The exit code that main() finds when it catches the exception as Error.
template <class Exception>
int exit_code() {
  try {
    throw Exception("what happened");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "what happened");
    return static_cast<int>(error.exit_code());
  }
}

TEST(Error, EveryKindHasItsExitCode) {
  EXPECT_EQ(exit_code<Error>(), 1);
  EXPECT_EQ(exit_code<UsageError>(), 2);
  EXPECT_EQ(exit_code<ConfigError>(), 2);
  EXPECT_EQ(exit_code<InputError>(), 3);
  EXPECT_EQ(exit_code<ModelError>(), 4);
  EXPECT_EQ(exit_code<Interrupted>(), 130);
}

TEST(Error, CodesOfRunsThatEndWithoutAnExceptionAreFixedToo) {
  EXPECT_EQ(static_cast<int>(ExitCode::ok), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::partial), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::defect_found), 10);
}

TEST(Version, IsThreeNumbers) {
  int numbers[3] = {-1, -1, -1};
  char rest = 0;
  EXPECT_EQ(std::sscanf(version().c_str(), "%d.%d.%d%c", &numbers[0], &numbers[1], &numbers[2], &rest), 3);
}

}  // namespace
}  // namespace hyperdefect
