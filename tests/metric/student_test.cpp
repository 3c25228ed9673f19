// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/student.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::metric {
namespace {

/// Abramowitz and Stegun, table 26.10.
TEST(Student, AgreesWithThePublishedTable) {
  EXPECT_NEAR(student_tails(12.706, 1), 0.05, 1e-5);
  EXPECT_NEAR(student_tails(9.925, 2), 0.01, 1e-5);
  EXPECT_NEAR(student_tails(3.182, 3), 0.05, 5e-5);
  EXPECT_NEAR(student_tails(4.604, 4), 0.01, 1e-5);
  EXPECT_NEAR(student_tails(2.228, 10), 0.05, 5e-5);
  EXPECT_NEAR(student_tails(3.646, 30), 0.001, 1e-6);
}

/// scipy.stats.t.sf, twice.
TEST(Student, IsExactFarOut) {
  EXPECT_NEAR(student_tails(10, 10), 1.5895531756e-06, 1e-15);
  EXPECT_NEAR(student_tails(20, 4), 3.68831058030e-05, 1e-15);
  EXPECT_NEAR(student_tails(-30, 3), 8.13528042716e-05, 1e-15);
  EXPECT_NEAR(student_tails(25, 10), 2.39939e-10, 1e-15);
  EXPECT_NEAR(student_tails(1e6, 500), 0, 1e-15);
  EXPECT_EQ(student_tails(0, 7), 1);
}

TEST(Student, LimitIsTheInverse) {
  for (const std::int64_t freedom : {1, 2, 3, 10, 99}) {
    for (const double tails : {0.5, 0.05, 1e-4, 1e-9}) {
      EXPECT_NEAR(student_tails(student_limit(tails, freedom), freedom) / tails, 1, 1e-5)
          << freedom << ' ' << tails;
    }
    EXPECT_NEAR(student_limit(1, freedom), 0, 1e-9);
  }
}

TEST(Student, NeedsADegreeOfFreedom) {
  HYPERDEFECT_EXPECT_ERROR(student_tails(1, 0), UsageError, "at least 1 degree of freedom, not 0");
}

}  // namespace
}  // namespace hyperdefect::metric
