// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/choices.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::nn {
namespace {

template <class Choice>
void expect_names(const std::vector<std::string>& names) {
  EXPECT_EQ(choice_names<Choice>(), names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(to_string(static_cast<Choice>(i)), names[i]);
    EXPECT_EQ(from_string<Choice>(names[i]), static_cast<Choice>(i));
  }
}

TEST(Choices, EveryValueHasItsName) {
  expect_names<Padding>({"reflect", "replicate", "zeros"});
  expect_names<Norm>({"layer", "batch", "none"});
  expect_names<Skip>({"concat", "add", "none"});
  expect_names<Lift>({"spectral", "factorised", "full", "linear"});
  expect_names<Upsampling>({"transposed_conv", "bilinear", "nearest"});
  EXPECT_EQ(to_string(Upsampling::nearest), "nearest");
  EXPECT_EQ(to_string(Lift::linear), "linear");
}

TEST(Choices, AnUnknownNameIsRefusedWithTheAllowedOnes) {
  HYPERDEFECT_EXPECT_ERROR(
      from_string<Norm>("lyer"), UsageError,
      "norm 'lyer' is unknown: choose one of layer, batch, none (did you mean 'layer'?)");
  HYPERDEFECT_EXPECT_ERROR(
      from_string<Upsampling>("cubic_spline"), UsageError,
      "upsampling 'cubic_spline' is unknown: choose one of transposed_conv, bilinear, nearest");
  HYPERDEFECT_EXPECT_ERROR(from_string<Padding>(""), UsageError, "padding '' is unknown");
  HYPERDEFECT_EXPECT_ERROR(from_string<Skip>("Concat"), UsageError, "skip 'Concat' is unknown");
  HYPERDEFECT_EXPECT_ERROR(from_string<Lift>("3d"), UsageError, "lift '3d' is unknown");
}

}  // namespace
}  // namespace hyperdefect::nn
