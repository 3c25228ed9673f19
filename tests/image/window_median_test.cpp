// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/window_median.h"

#include <gtest/gtest.h>

#include <limits>

namespace hyperdefect::image {
namespace {

torch::Tensor all_valid(std::int64_t rows, std::int64_t cols) {
  return torch::ones({rows, cols}, torch::kBool);
}

TEST(WindowMedian, MatchesTheExampleByHand) {
  const auto values = torch::tensor({{{1.0F, 2.0F, 9.0F}, {4.0F, 8.0F, 6.0F}, {7.0F, 5.0F, 3.0F}}});
  const auto median = window_median(values, all_valid(3, 3), 1);
  // The middle of all nine; of four, the second.
  EXPECT_EQ(median[0][1][1].item<float>(), 5.0F);
  EXPECT_EQ(median[0][0][0].item<float>(), 2.0F);
  EXPECT_EQ(median[0][2][2].item<float>(), 5.0F);
  EXPECT_TRUE(torch::equal(window_median(values, all_valid(3, 3), 0), values));
}

TEST(WindowMedian, AgreesWithASortOfEachWindow) {
  torch::manual_seed(4);
  const auto values = torch::randn({3, 12, 15}, torch::kDouble);
  const auto inside = window_median(values, all_valid(12, 15), 3).slice(1, 3, 9).slice(2, 3, 12);
  const auto windows = values.unfold(1, 7, 1).unfold(2, 7, 1).flatten(3);
  EXPECT_TRUE(torch::equal(inside, std::get<0>(windows.sort(3)).select(3, 24)));
}

TEST(WindowMedian, LeavesInvalidPixelsOut) {
  auto values = torch::tensor({{{1.0, 2.0, 3.0, 4.0}}}, torch::kDouble);
  values[0][0][1] = std::numeric_limits<double>::quiet_NaN();
  auto valid = all_valid(1, 4);
  valid[0][1] = false;
  EXPECT_TRUE(
      torch::equal(window_median(values, valid, 1), torch::tensor({{{1.0, 1.0, 3.0, 3.0}}}, torch::kDouble)));
  valid.fill_(false);
  EXPECT_EQ(window_median(values, valid, 1).abs().max().item<double>(), 0.0);
}

TEST(WindowMedian, TakesViewsAndKeepsTheType) {
  torch::manual_seed(4);
  const auto values = torch::randn({6, 5, 2}).permute({2, 0, 1});
  const auto valid = torch::rand({5, 6}).gt(0.2).t();
  const auto median = window_median(values, valid, 2);
  EXPECT_EQ(median.scalar_type(), torch::kFloat);
  EXPECT_TRUE(torch::equal(median, window_median(values.contiguous(), valid.contiguous(), 2)));
}

TEST(WindowMedian, RefusesWrongArguments) {
  EXPECT_THROW(window_median(torch::zeros({3, 3}), all_valid(3, 3), 1), c10::Error);
  EXPECT_THROW(window_median(torch::zeros({1, 3, 3}), all_valid(3, 2), 1), c10::Error);
  EXPECT_THROW(window_median(torch::zeros({1, 3, 3}), all_valid(3, 3), -1), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::image
