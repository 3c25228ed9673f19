// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/padding.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/module_checks.h"

namespace hyperdefect::nn {
namespace {

torch::Tensor row(const std::vector<double>& values) {
  return torch::tensor(values, torch::kDouble).view({1, 1, 1, -1});
}

TEST(PadMargins, EachModeFillsInItsWay) {
  const auto x = torch::tensor({1.0, 2.0, 3.0, 4.0, 5.0, 6.0}).view({1, 1, 2, 3});
  const Margins margins{1, 0, 2, 1};
  const auto reflected = torch::tensor({6.0, 5.0, 4.0, 5.0, 6.0, 5.0,  //
                                        3.0, 2.0, 1.0, 2.0, 3.0, 2.0,  //
                                        6.0, 5.0, 4.0, 5.0, 6.0, 5.0});
  const auto repeated = torch::tensor({1.0, 1.0, 1.0, 2.0, 3.0, 3.0,  //
                                       1.0, 1.0, 1.0, 2.0, 3.0, 3.0,  //
                                       4.0, 4.0, 4.0, 5.0, 6.0, 6.0});
  const auto zeros = torch::tensor({0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  //
                                    0.0, 0.0, 1.0, 2.0, 3.0, 0.0,  //
                                    0.0, 0.0, 4.0, 5.0, 6.0, 0.0});
  test::expect_close(pad_margins(x, margins, Padding::reflect).view(-1), reflected);
  test::expect_close(pad_margins(x, margins, Padding::replicate).view(-1), repeated);
  test::expect_close(pad_margins(x, margins, Padding::zeros).view(-1), zeros);
}

TEST(PadMargins, AnAxisTooShortToReflectIsReplicated) {
  // Two columns reflect a margin of one, not of two.
  test::expect_close(pad_margins(row({1, 2}), {0, 0, 1, 1}, Padding::reflect), row({2, 1, 2, 1}));
  test::expect_close(pad_margins(row({1, 2}), {0, 0, 2, 1}, Padding::reflect), row({1, 1, 1, 2, 2}));
  // One row is repeated while its columns reflect, and the other way round.
  const auto both = pad_margins(row({1, 2, 3}), {1, 1, 1, 1}, Padding::reflect);
  test::expect_close(both, row({2, 1, 2, 3, 2}).expand({1, 1, 3, 5}));
  const auto turned = pad_margins(row({1, 2, 3}).transpose(2, 3), {1, 1, 1, 1}, Padding::reflect);
  test::expect_close(turned, both.transpose(2, 3));
  test::expect_close(pad_margins(row({7}), {2, 2, 2, 2}, Padding::reflect), torch::full({1, 1, 5, 5}, 7.0));
}

TEST(PadMargins, KeepsTypeAndMemoryFormatUnderAutocast) {
  const auto x = torch::rand({1, 4, 6, 6}).to(torch::kBFloat16).contiguous(torch::MemoryFormat::ChannelsLast);
  const test::Autocast bfloat16;
  for (const auto mode : {Padding::reflect, Padding::replicate, Padding::zeros}) {
    const auto y = pad_margins(x, {1, 1, 1, 1}, mode);
    EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
    EXPECT_TRUE(y.is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

TEST(PadMargins, NoMarginGivesTheTensorItself) {
  const auto x = torch::rand({1, 1, 2, 2});
  EXPECT_TRUE(pad_margins(x, {}, Padding::reflect).is_same(x));
}

TEST(Cropped, KeepsTheFirstRowsAndColumns) {
  const auto x = torch::arange(12).view({1, 1, 3, 4});
  EXPECT_TRUE(torch::equal(cropped(x, {2, 3}).flatten(), torch::tensor({0, 1, 2, 4, 5, 6})));
  EXPECT_TRUE(torch::equal(cropped(x, {3, 1}).flatten(), torch::tensor({0, 4, 8})));
  EXPECT_TRUE(cropped(x, {3, 4}).is_same(x));
}

}  // namespace
}  // namespace hyperdefect::nn
