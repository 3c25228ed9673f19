// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/patch_sampler.h"

#include <gtest/gtest.h>

#include "support/fits.h"
#include "support/memory_blocks.h"

namespace hyperdefect::engine {
namespace {

constexpr std::int64_t kSmallMemory = 0;
constexpr std::int64_t kLargeMemory = 1024;

model::TrainOptions options(std::int64_t batch, std::int64_t patch_px) {
  model::TrainOptions train;
  train.batch = batch;
  train.patch_px = patch_px;
  return train;
}

/// (2, rows, cols): each pixel's row and column.
torch::Tensor coordinates(Size size) {
  const auto rows = torch::arange(size.rows, torch::kFloat).view({-1, 1}).expand({size.rows, size.cols});
  const auto cols = torch::arange(size.cols, torch::kFloat).expand({size.rows, size.cols});
  return torch::stack({rows, cols});
}

class Sampler : public ::testing::TestWithParam<std::int64_t> {
 protected:
  PatchSampler sampler_of(const std::vector<torch::Tensor>& cubes, const model::TrainOptions& train) {
    std::vector<std::shared_ptr<preprocess::BlockSource>> sources;
    for (const auto& cube : cubes) {
      sources.push_back(test::memory_blocks(cube));
    }
    return {*pipeline_, sources, train, GetParam()};
  }

  /// What is drawn are the values of the cubes.
  std::shared_ptr<detector::Pipeline> pipeline_ = test::transparent_pipeline(2, "area_filter");
};

TEST_P(Sampler, DrawsWholePatches) {
  auto sampler = sampler_of({coordinates({40, 30})}, options(3, 8));
  auto generator = test::seeded(1);
  const auto batch = sampler.draw(generator);
  ASSERT_EQ(batch.values.sizes(), at::IntArrayRef({3, 2, 8, 8}));
  ASSERT_EQ(batch.valid.sizes(), at::IntArrayRef({3, 8, 8}));
  EXPECT_TRUE(batch.valid.all().item<bool>());
  for (std::int64_t n = 0; n < 3; ++n) {
    const auto first = batch.values[n].select(1, 0).select(1, 0).view({2, 1, 1});
    EXPECT_TRUE(torch::equal(batch.values[n] - first, coordinates({8, 8})));
  }
}

TEST_P(Sampler, NeverDrawsFromTheHeldOutRows) {
  const Size size{40, 20};
  auto train = options(4, 16);
  train.holdout_fraction = 0.25;
  train.augment = true;
  auto sampler = sampler_of({coordinates(size)}, train);
  auto generator = test::seeded(2);
  double lowest = 1e9;
  double highest = 0;
  for (int i = 0; i < 40; ++i) {
    const auto rows = sampler.draw(generator).values.select(1, 0);
    lowest = std::min(lowest, rows.min().item<double>());
    highest = std::max(highest, rows.max().item<double>());
  }
  EXPECT_EQ(lowest, 0.0);
  EXPECT_EQ(highest, 29.0);
}

TEST_P(Sampler, HeldOutPiecesCoverTheHeldOutRows) {
  const Size size{40, 20};
  auto train = options(1, 16);
  train.holdout_fraction = 0.5;
  auto sampler = sampler_of({coordinates(size)}, train);
  auto seen = torch::zeros({size.rows, size.cols}, torch::kLong);
  for (const auto& batch : sampler.held_out()) {
    const auto places = batch.values[0].to(torch::kLong).flatten(1);
    seen.index_put_({places[0], places[1]}, torch::ones({places.size(1)}, torch::kLong), true);
    EXPECT_EQ(batch.valid.size(0), 1);
  }
  EXPECT_TRUE(seen.narrow(0, 0, 20).eq(0).all().item<bool>());
  EXPECT_TRUE(seen.narrow(0, 20, 20).eq(1).all().item<bool>());
}

TEST_P(Sampler, FillsSmallCubesUpWithInvalidPixels) {
  auto sampler = sampler_of({coordinates({12, 12}), coordinates({5, 7}) + 100}, options(32, 8));
  auto generator = test::seeded(3);
  const auto batch = sampler.draw(generator);
  ASSERT_EQ(batch.values.sizes(), at::IntArrayRef({32, 2, 8, 8}));
  std::int64_t small = 0;
  for (std::int64_t n = 0; n < 32; ++n) {
    const bool is_small = batch.values[n].max().item<float>() >= 100;
    EXPECT_EQ(batch.valid[n].sum().item<std::int64_t>(), is_small ? 35 : 64);
    EXPECT_TRUE(torch::equal(batch.values[n][0].gt(99).logical_or(batch.valid[n]), batch.valid[n]));
    small += is_small ? 1 : 0;
  }
  EXPECT_GT(small, 0);
  EXPECT_LT(small, 32);
}

TEST_P(Sampler, TakesSmallCubesWhole) {
  auto sampler = sampler_of({coordinates({5, 7})}, options(1, 256));
  auto generator = test::seeded(4);
  EXPECT_TRUE(torch::equal(sampler.draw(generator).values[0], coordinates({5, 7})));
}

TEST_P(Sampler, EqualGeneratorsGiveEqualBatches) {
  auto train = options(4, 8);
  train.augment = true;
  auto sampler = sampler_of({coordinates({40, 30}), coordinates({20, 20}) + 50}, train);
  auto a = test::seeded(5);
  auto b = test::seeded(5);
  const auto first = sampler.draw(a).values;
  EXPECT_TRUE(torch::equal(sampler.draw(b).values, first));
  EXPECT_FALSE(torch::equal(sampler.draw(a).values, first));
}

TEST_P(Sampler, AugmentTurnsPatchesInEightWays) {
  auto train = options(64, 8);
  train.augment = true;
  auto sampler = sampler_of({coordinates({8, 8})}, train);
  auto generator = test::seeded(6);
  const auto batch = sampler.draw(generator).values.flatten(1);
  EXPECT_EQ(std::get<0>(torch::unique_dim(batch, 0)).size(0), 8);
}

INSTANTIATE_TEST_SUITE_P(Memory, Sampler, ::testing::Values(kSmallMemory, kLargeMemory));

TEST(SamplerMemory, DoesNotChangeWhatIsDrawn) {
  const auto pipeline = test::transparent_pipeline(2, "area_filter");
  const auto cube = test::memory_blocks(coordinates({40, 30}));
  PatchSampler small(*pipeline, {cube}, options(4, 8), kSmallMemory);
  PatchSampler large(*pipeline, {cube}, options(4, 8), kLargeMemory);
  auto a = test::seeded(7);
  auto b = test::seeded(7);
  EXPECT_TRUE(torch::equal(small.draw(a).values, large.draw(b).values));
}

}  // namespace
}  // namespace hyperdefect::engine
