// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/decision/false_alarm_rates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect::decision {
namespace {

/// Exponential scores, a little higher in some cubes than in others.
NormalScores normal_cubes(std::int64_t count, std::int64_t side = 32) {
  NormalScores scores;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto level = (0.1 * torch::randn({1})).exp();
    scores.maps.push_back(torch::empty({side, side}).exponential_() * level);
  }
  return scores;
}

model::FittedModel model_for(double pixel_rate, double cube_rate) {
  model::FittedModel model;
  model.config.threshold.method = model::ThresholdMethod::false_alarm_rate;
  model.config.threshold.pixel_rate = pixel_rate;
  model.config.threshold.cube_rate = cube_rate;
  return model;
}

struct Seen {
  double pixels = 0, marked = 0, cubes = 0, rejected = 0;
};

Seen seen_in(const NormalScores& cubes, const model::FittedModel& model) {
  Seen seen;
  for (const auto& map : cubes.maps) {
    const auto objects = find_objects(model::calibrated(map, model), map.isfinite(), rule_of(model));
    seen.pixels += static_cast<double>(map.numel());
    seen.marked += objects.labels.gt(0).sum().item<double>();
    seen.cubes += 1;
    seen.rejected += largest_evidence(objects) > model.min_evidence ? 1 : 0;
  }
  return seen;
}

/// 20 seeds, 40 cubes to set the rule, and 40 that come later.
class PromisedRates : public ::testing::TestWithParam<double> {};

TEST_P(PromisedRates, AreKeptInNewCubes) {
  Seen all;
  double highest = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    torch::manual_seed(seed);
    auto model = model_for(GetParam(), 0.05);
    set_rule(model, normal_cubes(40));
    const auto seen = seen_in(normal_cubes(40), model);
    all.pixels += seen.pixels, all.marked += seen.marked;
    all.cubes += seen.cubes, all.rejected += seen.rejected;
    highest = std::max(highest, seen.marked / seen.pixels);
  }
  EXPECT_NEAR(all.marked / all.pixels / GetParam(), 1.0, 0.08);
  EXPECT_LT(highest, 1.8 * GetParam());
  // 95 % of 800 draws with a probability of 0.05 lie within 28 and 52.
  EXPECT_GE(all.rejected, 28);
  EXPECT_LE(all.rejected, 52);
}

INSTANTIATE_TEST_SUITE_P(Pixels, PromisedRates, ::testing::Values(0.01, 0.001));

TEST(FalseAlarmRates, CountWhatHysteresisAndSmallestObjectMark) {
  torch::manual_seed(3);
  for (const auto& [hysteresis, min_pixels] : {std::pair(0.7, 1), std::pair(0.0, 3), std::pair(0.5, 2)}) {
    auto model = model_for(0.01, 0.05);
    model.config.threshold.hysteresis = hysteresis;
    model.config.threshold.min_pixels = min_pixels;
    set_rule(model, normal_cubes(40));
    const auto seen = seen_in(normal_cubes(200), model);
    EXPECT_NEAR(seen.marked / seen.pixels / 0.01, 1.0, 0.2) << hysteresis << ' ' << min_pixels;
    EXPECT_NEAR(seen.rejected / seen.cubes, 0.05, 0.05) << hysteresis << ' ' << min_pixels;
  }
}

TEST(FalseAlarmRates, AreMeasuredWithoutTheCubeThatIsJudged) {
  torch::manual_seed(4);
  auto model = model_for(0.01, 0.1);
  auto scores = normal_cubes(10);
  // One cube that is unlike the others: in the sample it would be the one in ten.
  scores.maps[3] *= 3;
  set_rule(model, scores);
  ASSERT_TRUE(model.false_alarms && model.false_alarms->cube);
  const auto& [cubes, pixels, in_sample, pixel, cube] = *model.false_alarms;
  EXPECT_EQ(cubes, 10);
  EXPECT_EQ(pixels, 10 * 32 * 32);
  EXPECT_FALSE(in_sample);
  EXPECT_EQ(pixel.asked, 0.01);
  EXPECT_GT(pixel.seen, 0.015);
  EXPECT_LT(pixel.low, pixel.seen);
  EXPECT_GT(pixel.high, pixel.seen);
  EXPECT_GE(cube->seen, 0.1);
  // Wilson's interval of 1 in 10 is 0.018 to 0.404.
  if (cube->seen == 0.1) {
    EXPECT_NEAR(cube->low, 0.0179, 1e-3);
    EXPECT_NEAR(cube->high, 0.4042, 1e-3);
  }
}

TEST(FalseAlarmRates, SayWhatTheDataDoNotSupport) {
  torch::manual_seed(5);
  auto model = model_for(1e-6, 0.05);
  testing::internal::CaptureStderr();
  set_rule(model, normal_cubes(4));
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(
      said.find("threshold.pixel_rate is 1e-06, but with 4096 pixels the least possible is 0.00024, which is "
                "used; 1e-06 needs 999999 pixels"),
      std::string::npos)
      << said;
  EXPECT_NE(
      said.find("threshold.cube_rate is 0.05, but with 4 cubes the least possible is 0.2, which is used; "
                "0.05 needs 19 cubes"),
      std::string::npos)
      << said;
  EXPECT_NEAR(model.false_alarms->pixel.supported.value(), 1.0 / 4097, 1e-12);
  EXPECT_NEAR(model.false_alarms->cube->supported.value(), 0.2, 1e-12);
}

TEST(FalseAlarmRates, OfOneCubeAreMeasuredOnItsBlocksOfRows) {
  torch::manual_seed(6);
  auto model = model_for(0.01, 0.5);
  set_rule(model, normal_cubes(1, 64));
  ASSERT_TRUE(model.false_alarms);
  EXPECT_NEAR(model.false_alarms->pixel.seen, 0.01, 0.005);
  EXPECT_FALSE(model.false_alarms->cube);
  EXPECT_NE(in_words(*model.false_alarms).find("rejected: not known from one cube"), std::string::npos);
}

TEST(FalseAlarmRates, PixelsThatDoNotCountDoNotCount) {
  torch::manual_seed(7);
  auto scores = normal_cubes(5);
  for (auto& map : scores.maps) {
    map.slice(0, 0, 8).fill_(std::nan(""));
  }
  auto model = model_for(0.01, 0.2);
  set_rule(model, scores);
  EXPECT_EQ(model.false_alarms->pixels, 5 * 24 * 32);
  scores.maps[1].fill_(std::nan(""));
  set_rule(model, scores);
  for (auto& map : scores.maps) {
    map.fill_(std::nan(""));
  }
  HYPERDEFECT_EXPECT_ERROR(set_rule(model, scores), InputError, "no valid score");
}

TEST(FalseAlarmRates, OfOtherMethodsAreMeasuredToo) {
  torch::manual_seed(8);
  model::FittedModel model;
  model.config.threshold.method = model::ThresholdMethod::quantile;
  model.config.threshold.quantile = 0.98;
  model.config.threshold.min_evidence = 1e6;
  set_rule(model, normal_cubes(8));
  EXPECT_NEAR(model.false_alarms->pixel.seen, 0.02, 0.01);
  EXPECT_FALSE(model.false_alarms->pixel.asked);
  EXPECT_EQ(model.false_alarms->cube->seen, 0);
  EXPECT_EQ(model.min_evidence, 1e6);
}

}  // namespace
}  // namespace hyperdefect::decision
