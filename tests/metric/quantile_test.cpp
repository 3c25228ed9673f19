// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/quantile.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::metric {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Quantile, InterpolatesBetweenRanks) {
  const auto values = torch::tensor({{4.0F, 1.0F}, {2.0F, 3.0F}});
  EXPECT_EQ(quantiles_of(values, {0.0, 0.5, 0.75, 1.0}), (std::vector<double>{1.0, 2.5, 3.25, 4.0}));
  EXPECT_DOUBLE_EQ(quantile_of(values, 0.9), 3.7);
  EXPECT_DOUBLE_EQ(quantile_of(torch::tensor({7.0F}), 0.3), 7.0);
}

TEST(Quantile, LeavesOutWhatIsNotFinite) {
  EXPECT_DOUBLE_EQ(quantile_of(torch::tensor({kNan, 1.0F, -kInfinity, 3.0F, kInfinity}), 0.5), 2.0);
  HYPERDEFECT_EXPECT_ERROR(quantile_of(torch::tensor({kNan, kInfinity}), 0.5), InputError,
                           "no valid score: every pixel is invalid");
  HYPERDEFECT_EXPECT_ERROR(quantile_of(torch::empty({0}), 0.5), InputError, "no valid score");
}

TEST(NearestRank, IsAValueThatOccurs) {
  const auto values = torch::tensor({{4.0F, 1.0F, 2.0F, 3.0F, 5.0F}, {50.0F, 10.0F, 40.0F, 20.0F, 30.0F}});
  for (const auto& [part, low, high] : {std::tuple{0.0, 1.0F, 10.0F},
                                        {0.3, 2.0F, 20.0F},
                                        {0.5, 3.0F, 30.0F},
                                        {0.9, 5.0F, 50.0F},
                                        {1.0, 5.0F, 50.0F}}) {
    EXPECT_TRUE(nearest_rank(values, part).equal(torch::tensor({low, high}))) << part;
  }
}

TEST(NearestRank, RefusesWrongArguments) {
  EXPECT_THROW(nearest_rank(torch::empty({2, 0}), 0.5), c10::Error);
  EXPECT_THROW(nearest_rank(torch::zeros({2}), 1.5), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::metric
