// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/context_maps.h"

#include <gtest/gtest.h>

#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::model {
namespace {

torch::Tensor noise(Size size, std::uint64_t seed) {
  return torch::randn({3, size.rows, size.cols}, test::seeded(seed), torch::kFloat);
}

torch::Tensor all_valid(const torch::Tensor& components) {
  return torch::ones({components.size(1), components.size(2)}, torch::kBool);
}

ContextMaps fitted(const torch::Tensor& components) {
  ContextMaps context(components.size(0));
  context->set_variances(torch::tensor({4.0, 2.0, 1.0}), 0.25);
  context->observe(context->maps(components, all_valid(components)), all_valid(components));
  context->finish();
  return context;
}

TEST(ContextMaps, EveryMapIsHighestAtASmallObject) {
  auto components = 0.1 * noise({40, 40}, 1);
  components.slice(1, 20, 22).slice(2, 11, 13).add_(3.0);
  ContextMaps context(3);
  const auto maps = context->maps(components, all_valid(components));
  ASSERT_EQ(maps.size(0), context->count());
  for (const auto& map : maps.unbind(0)) {
    EXPECT_GE(map.min().item<float>(), 0.0F);
    const auto highest = map.argmax().item<std::int64_t>();
    EXPECT_TRUE(highest / 40 == 20 || highest / 40 == 21) << highest;
    EXPECT_TRUE(highest % 40 == 11 || highest % 40 == 12) << highest;
  }
}

TEST(ContextMaps, MahalanobisDistanceUndoesThePartialWhitening) {
  const auto variances = torch::tensor({4.0, 2.0, 1.0}, torch::kDouble);
  const auto spread = (variances / 4.0).pow(0.125).to(torch::kFloat).view({3, 1, 1});
  ContextMaps context(3);
  context->set_variances(variances, 0.25);
  const auto white = noise({8, 8}, 2);
  const auto maps = context->maps(white * spread, all_valid(white));
  test::expect_close(maps[4], white.norm(2, 0), 1e-5);
  test::expect_close(maps[5], (white * spread).norm(2, 0), 1e-5);
}

TEST(ContextMaps, RingsCompareWithTheMeanOfWhatIsValidAround) {
  const auto components = torch::zeros({3, 9, 9});
  components.select(1, 4).select(1, 4).fill_(1.0);
  components.select(1, 4).select(1, 7).fill_(1000.0);
  auto valid = all_valid(components);
  valid[4][7] = false;
  ContextMaps context(3);
  EXPECT_NEAR(context->maps(components, valid)[6][4][4].item<float>(), std::sqrt(3.0), 1e-5);
  EXPECT_EQ(context->maps(torch::ones({3, 1, 1}), torch::ones({1, 1}, torch::kBool))[6].item<float>(), 0.0F);
}

TEST(ContextMaps, LogarithmsAreInUnitsOfTheTrainingMeans) {
  const auto components = noise({30, 30}, 3);
  const auto context = fitted(components);
  const auto maps = context->maps(components, all_valid(components));
  const auto means = (context->logarithms(maps).exp() - 0.05).mean({1, 2});
  test::expect_close(means, torch::ones_like(means), 1e-4);
}

TEST(ContextMaps, TheHighestFiftiethIsSuspicious) {
  const auto components = noise({50, 50}, 4);
  const auto context = fitted(components);
  const auto suspicious = context->suspicious(context->maps(components, all_valid(components)));
  EXPECT_NEAR(suspicious.to(torch::kDouble).mean().item<double>(), 0.02, 0.002);
}

TEST(ContextMaps, DoNotDependOnTheTiling) {
  const Size size{30, 700};
  const auto components = noise(size, 5);
  const auto context = fitted(components);
  const auto all = context->maps(components, all_valid(components));
  const auto halo = ContextMapsImpl::halo();
  const auto tile = components.slice(2, 350 - halo, 350 + halo + 4).contiguous();
  const auto part = context->maps(tile, all_valid(tile)).slice(2, halo, halo + 4);
  test::expect_close(part, all.slice(2, 350, 354), 1e-5);
}

TEST(ContextMaps, NeedValidPixels) {
  ContextMaps context(3);
  HYPERDEFECT_EXPECT_ERROR(context->finish(), InputError, "too few valid pixels to learn from");
}

}  // namespace
}  // namespace hyperdefect::model
