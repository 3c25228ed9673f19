// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/cross_fit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"
#include "support/fits.h"
#include "support/memory_blocks.h"
#include "support/tiny_config.h"

namespace hyperdefect::engine {
namespace {

using Sources = std::vector<std::shared_ptr<preprocess::BlockSource>>;

class CrossFitting : public ::testing::Test {
 protected:
  explicit CrossFitting(const std::string& detector = "rx") {
    model_.config = test::tiny_config();
    model_.config.detector.name = detector;
  }

  FitJob job_for(const Sources& sources) {
    FitJob job;
    job.sources = sources;
    job.train = model_.config.train;
    return job;
  }

  decision::NormalScores held_out(const Sources& sources) {
    const auto job = job_for(sources);
    model_.detector = fitted_to(sources);
    return held_out_scores(model_, job, monitor_);
  }

  std::shared_ptr<detector::Pipeline> fitted_to(const Sources& sources) {
    auto pipeline = test::pipeline_of(model_.config, 6);
    fit(*pipeline, job_for(sources), monitor_);
    return pipeline;
  }

  torch::Tensor scores_by(const Sources& fitted, preprocess::BlockSource& scored) {
    return score_map(*fitted_to(fitted), scored, 4096, monitor_);
  }

  static Sources cubes(std::int64_t count) {
    Sources sources;
    for (std::int64_t i = 0; i < count; ++i) {
      sources.push_back(
          test::memory_blocks(test::smooth_scene(6, {20, 24}, static_cast<std::uint64_t>(i) + 1)));
    }
    return sources;
  }

  model::FittedModel model_;
  ProgressMonitor monitor_;
};

TEST_F(CrossFitting, ScoresEachCubeByAFitToTheOthers) {
  const auto all = cubes(3);
  const auto scores = held_out(all);
  ASSERT_EQ(scores.maps.size(), 3U);
  EXPECT_FALSE(scores.in_sample);
  for (std::size_t i = 0; i < 3; ++i) {
    auto others = all;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(torch::equal(scores.maps[i], scores_by(others, *all[i]))) << i;
    EXPECT_FALSE(torch::allclose(scores.maps[i], scores_by(all, *all[i]), 1e-3)) << i;
  }
}

TEST_F(CrossFitting, DividesManyCubesIntoParts) {
  model_.config.threshold.folds = 2;
  const auto all = cubes(5);
  const auto scores = held_out(all);
  EXPECT_TRUE(torch::equal(scores.maps[0], scores_by({all[1], all[3]}, *all[0])));
  EXPECT_TRUE(torch::equal(scores.maps[3], scores_by({all[0], all[2], all[4]}, *all[3])));
}

/// What a block of rows holds must not change how it is scored, or how far: only its own pixels do.
TEST_F(CrossFitting, ScoresTheRowsOfOneCubeByAFitToItsOtherRows) {
  model_.config.threshold.folds = 4;
  const auto values = test::smooth_scene(6, {32, 24}, 7);
  const auto before = held_out({test::memory_blocks(values)}).maps.front();
  EXPECT_TRUE(before.isfinite().all().item<bool>());
  auto changed = values.clone();
  changed.slice(1, 8, 16).mul_(1.5);
  const auto after = held_out({test::memory_blocks(changed)}).maps.front();
  // RX looks at single pixels: the fit without rows 8 to 15 is the same in both.
  const auto expected = [&] {
    auto valid = torch::ones({32, 24}, torch::kBool);
    valid.slice(0, 8, 16).fill_(false);
    return score_map(*fitted_to({test::memory_blocks(values, valid)}), *test::memory_blocks(changed), 4096,
                     monitor_);
  }();
  EXPECT_TRUE(torch::allclose(after.slice(0, 8, 16), expected.slice(0, 8, 16), 1e-5));
  EXPECT_FALSE(torch::allclose(after.slice(0, 0, 8), before.slice(0, 0, 8), 1e-3));
}

TEST_F(CrossFitting, WithoutPartsTheModelScoresItsOwnCubes) {
  model_.config.threshold.folds = 0;
  const auto all = cubes(2);
  const auto scores = held_out(all);
  EXPECT_TRUE(scores.in_sample);
  EXPECT_TRUE(torch::equal(scores.maps[1], score_map(*model_.detector, *all[1], 4096, monitor_)));
}

TEST_F(CrossFitting, PixelsThatAreNotValidHaveNoScore) {
  auto valid = torch::ones({20, 24}, torch::kBool);
  valid.slice(0, 3, 5).fill_(false);
  const auto all = Sources{test::memory_blocks(test::smooth_scene(6, {20, 24}, 1), valid), cubes(2)[1]};
  const auto map = held_out(all).maps.front();
  EXPECT_TRUE(torch::equal(map.isfinite(), valid));
}

TEST(Folds, AreAsManyAsTheCubesAllow) {
  EXPECT_EQ(possible_folds({{10, 10}, {10, 10}, {10, 10}}, 5), 3);
  EXPECT_EQ(possible_folds(std::vector<Size>(9, {10, 10}), 5), 5);
  EXPECT_EQ(possible_folds({{100, 10}}, 5), 5);
  EXPECT_EQ(possible_folds({{9, 10}}, 5), 2);
  EXPECT_EQ(possible_folds({{7, 10}}, 5), 0) << "too few rows";
  EXPECT_EQ(possible_folds({{100, 10}, {100, 10}}, 1), 0);
  EXPECT_EQ(possible_folds({{100, 10}, {100, 10}}, 0), 0);
}

class CrossFittingOfNetworks : public CrossFitting {
 protected:
  CrossFittingOfNetworks() : CrossFitting("autoencoder") {}
};

TEST_F(CrossFittingOfNetworks, IsRepeatable) {
  const auto all = cubes(2);
  const auto first = held_out(all);
  const auto again = held_out(all);
  EXPECT_TRUE(torch::equal(first.maps[0], again.maps[0]));
  EXPECT_TRUE(torch::equal(first.maps[1], again.maps[1]));
}

TEST_F(CrossFittingOfNetworks, StopsIfItIsAskedTo) {
  class Impatient : public ProgressMonitor {
   public:
    void progress(const Progress& now) override {
      stops_ = stops_ || now.task.starts_with("part 1 of 2: train");
    }
    bool stop_requested() const override { return stops_; }

   private:
    std::atomic<bool> stops_ = false;
  };
  const auto all = cubes(2);
  model_.detector = fitted_to(all);
  Impatient monitor;
  EXPECT_THROW(held_out_scores(model_, job_for(all), monitor), Interrupted);
}

}  // namespace
}  // namespace hyperdefect::engine
