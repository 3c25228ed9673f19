// SPDX-License-Identifier: Apache-2.0
#include "support/program.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace hyperdefect::test {
namespace {

/// The OpenMP library says what it found in its environment when it is initialised.
class WaitingThreads : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("OMP_DISPLAY_ENV", "verbose", 1);
    ::unsetenv("GOMP_SPINCOUNT");
    ::unsetenv("OMP_WAIT_POLICY");
    if (!contains(shown(), "GOMP_SPINCOUNT")) {
      GTEST_SKIP() << "LibTorch is built with another OpenMP than GNU's";
    }
  }

  void TearDown() override { ::unsetenv("OMP_DISPLAY_ENV"); }

  static std::string shown() { return run_program({"--version"}).err; }
};

TEST_F(WaitingThreads, SleepSoon) {
  EXPECT_TRUE(contains(shown(), "GOMP_SPINCOUNT = '10000'"));
}

TEST_F(WaitingThreads, SpinAsLongAsTheUserSays) {
  ::setenv("GOMP_SPINCOUNT", "77", 1);
  EXPECT_TRUE(contains(shown(), "GOMP_SPINCOUNT = '77'"));
}

TEST_F(WaitingThreads, FollowThePolicyThatTheUserSets) {
  ::setenv("OMP_WAIT_POLICY", "active", 1);
  EXPECT_TRUE(contains(shown(), "OMP_WAIT_POLICY = 'ACTIVE'"));
  EXPECT_FALSE(contains(shown(), "GOMP_SPINCOUNT = '10000'"));
}

TEST(Program, SaysItsVersionWithAnEmptyEnvironment) {
  const auto outcome = run_program({"--version"}, "env -i");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.rfind("hyperdefect ", 0), 0U) << outcome.out;
}

}  // namespace
}  // namespace hyperdefect::test
