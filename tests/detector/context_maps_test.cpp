// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/segmenter/context_maps.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/module_checks.h"
#include "support/tiny_model.h"

namespace hyperdefect::detector {
namespace {

constexpr preprocess::ComponentSpec kSpec{3, 0.25};

torch::Tensor noise(Size size, std::uint64_t seed) {
  return torch::randn({3, size.rows, size.cols}, test::seeded(seed), torch::kFloat);
}

torch::Tensor all_valid(const torch::Tensor& components) {
  return test::all_valid({components.size(1), components.size(2)});
}

const torch::Tensor kVariances = torch::tensor({4.0, 2.0, 1.0}, torch::kDouble);

/// Whose principal components have these variances.
preprocess::Preprocess preprocess_of(const torch::Tensor& variances) {
  preprocess::Preprocess preprocess(preprocess::PreprocessOptions{}, test::regular_bands(variances.size(0)),
                                    variances.size(0));
  preprocess->named_buffers()["variances"].copy_(variances);
  return preprocess;
}

ContextMaps fitted(const torch::Tensor& components) {
  const auto preprocess = preprocess_of(kVariances);
  ContextMaps context(components.size(0));
  context->set_scales(*preprocess, kSpec);
  context->accumulate(context->maps(components, all_valid(components)),
                      preprocess::Preprocessed(*preprocess, test::whole_block(components)));
  context->finalise();
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
  const auto preprocess = preprocess_of(kVariances);
  ContextMaps context(3);
  context->set_scales(*preprocess, kSpec);
  const auto white = noise({8, 8}, 2);
  const auto scores = white * kVariances.sqrt().to(torch::kFloat).view({3, 1, 1});
  const auto components = preprocess->components(scores, kSpec);
  const auto maps = context->maps(components, all_valid(white));
  test::expect_close(maps[4], white.norm(2, 0), 1e-5);
  test::expect_close(maps[5], components.norm(2, 0), 1e-5);
}

TEST(ContextMaps, ComponentsThatDoNotVaryAreNotSeen) {
  auto components = noise({20, 20}, 6);
  ContextMaps context(3);
  context->set_scales(*preprocess_of(torch::tensor({4.0, 2.0, 0.0}, torch::kDouble)), kSpec);
  components[2].zero_();
  const auto maps = context->maps(components, all_valid(components));
  ContextMaps of_two(2);
  of_two->set_scales(*preprocess_of(torch::tensor({4.0, 2.0}, torch::kDouble)), {2, 0.25});
  const auto wanted = of_two->maps(components.slice(0, 0, 2), all_valid(components));
  // A factor that all components share may differ: it goes into the means of the training data.
  test::expect_close(maps / maps.mean({1, 2}, true), wanted / wanted.mean({1, 2}, true), 1e-5);
}

TEST(ContextMaps, TakeTheAreaNormsThatAreKnown) {
  const auto components = noise({20, 20}, 7);
  ContextMaps context(3);
  const auto known = torch::full({4, 20, 20}, 0.5F);
  const auto maps = context->maps(components, all_valid(components), known);
  test::expect_close(maps.slice(0, 0, 4), known, 1e-6);
  test::expect_close(maps.slice(0, 4), context->maps(components, all_valid(components)).slice(0, 4), 0.0);
}

/// The fit and the scores take the norms of a block, an implanted patch takes those of its own components.
TEST(ContextMaps, AreaNormsOfABlockAreThoseOfItsComponents) {
  const auto scene = test::whole_block(test::smooth_scene(6, {30, 26}, 1));
  preprocess::PreprocessOptions options;
  options.components = 4;
  preprocess::Preprocess preprocess(options, test::regular_bands(6), 4);
  preprocess->accumulate(preprocess::Preprocessed(*preprocess, scene));
  preprocess->finalise();
  const auto spec = preprocess->network_components();
  ContextMaps context(spec.count);
  context->set_scales(*preprocess, spec);
  const preprocess::Preprocessed block(*preprocess, scene);
  const auto components = block.components(spec);
  const auto of_block =
      context->maps(components, scene.valid, ContextMapsImpl::area_norms_of(*preprocess, block));
  test::expect_close(of_block, context->maps(components, scene.valid), 1e-4);
}

TEST(ContextMaps, RingsCompareWithTheMeanOfWhatIsValidAround) {
  const auto components = torch::zeros({3, 9, 9});
  components.select(1, 4).select(1, 4).fill_(1.0);
  components.select(1, 4).select(1, 7).fill_(1000.0);
  auto valid = all_valid(components);
  valid[4][7] = false;
  ContextMaps context(3);
  EXPECT_NEAR(context->maps(components, valid)[6][4][4].item<float>(), std::sqrt(3.0), 1e-5);
  EXPECT_EQ(context->maps(torch::ones({3, 1, 1}), test::all_valid({1, 1}))[6].item<float>(), 0.0F);
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
  HYPERDEFECT_EXPECT_ERROR(context->finalise(), InputError, "too few valid pixels to learn from");
}

}  // namespace
}  // namespace hyperdefect::detector
