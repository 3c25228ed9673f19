// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/window_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "hyperdefect/core/error.h"
#include "support/expect_error.h"

namespace hyperdefect {
namespace {

struct Case {
  Size image;
  ReceptiveField field;
  PlanLimits limits;
};

std::ostream& operator<<(std::ostream& stream, const Case& c) {
  return stream << c.image.rows << " rows, " << c.image.cols << " cols, grid " << c.field.alignment
                << ", halo " << c.field.halo << ", tile " << c.limits.tile.rows << " x " << c.limits.tile.cols
                << ", " << c.limits.bytes_per_pixel << " bytes a pixel of " << c.limits.max_bytes;
}

/// The most that one alignment cell with its halo can take along an axis.
std::int64_t smallest_read(std::int64_t limit, const ReceptiveField& field) {
  return std::min(
      limit, field.alignment + 2 * ((field.halo + field.alignment - 1) / field.alignment * field.alignment));
}

bool is_feasible(const Case& c) {
  return smallest_read(c.image.rows, c.field) * smallest_read(c.image.cols, c.field) <=
         c.limits.max_bytes / c.limits.bytes_per_pixel;
}

Case random_case(std::mt19937_64& random) {
  const auto below = [&](std::int64_t end) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
  };
  Case c;
  c.image = {1 + below(90), 1 + below(90)};
  c.field = {1 + below(17), below(20)};
  c.limits.tile = {1 + below(32), 1 + below(32)};
  c.limits.bytes_per_pixel = 1 + below(50);
  c.limits.max_bytes = c.limits.bytes_per_pixel * (1 + below(4 * c.image.pixels()));
  return c;
}

void expect_each_pixel_once(const std::vector<Tile>& plan, Size image) {
  std::vector<int> kept(static_cast<std::size_t>(image.pixels()));
  for (const auto& step : plan) {
    ASSERT_EQ(clipped(step.write, image), step.write);
    for (auto row = step.write.row; row < step.write.end_row(); ++row) {
      for (auto col = step.write.col; col < step.write.end_col(); ++col) {
        ++kept[static_cast<std::size_t>(row * image.cols + col)];
      }
    }
  }
  EXPECT_EQ(std::count(kept.begin(), kept.end(), 1), image.pixels());
}

void expect_sound_read(const Tile& step, const Case& c) {
  const auto halo = c.field.halo;
  const Window needed = clipped(
      {step.write.row - halo, step.write.col - halo, step.write.rows + 2 * halo, step.write.cols + 2 * halo},
      c.image);
  EXPECT_EQ(clipped(step.read, c.image), step.read);
  EXPECT_EQ(step.read.row % c.field.alignment, 0);
  EXPECT_EQ(step.read.col % c.field.alignment, 0);
  EXPECT_TRUE(step.read.end_row() % c.field.alignment == 0 || step.read.end_row() == c.image.rows);
  EXPECT_TRUE(step.read.end_col() % c.field.alignment == 0 || step.read.end_col() == c.image.cols);
  EXPECT_LE(step.read.row, needed.row);
  EXPECT_LE(step.read.col, needed.col);
  EXPECT_GE(step.read.end_row(), needed.end_row());
  EXPECT_GE(step.read.end_col(), needed.end_col());
  EXPECT_LE(step.read.pixels() * c.limits.bytes_per_pixel, c.limits.max_bytes);
}

TEST(WindowPlan, HoldsItsPromisesForAnyImage) {
  std::mt19937_64 random(7);
  int planned = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto c = random_case(random);
    SCOPED_TRACE(testing::Message() << c);
    if (!is_feasible(c)) {
      EXPECT_THROW(plan_windows(c.image, c.field, c.limits), Error);
      continue;
    }
    ++planned;
    const auto plan = plan_windows(c.image, c.field, c.limits);
    expect_each_pixel_once(plan, c.image);
    for (const auto& step : plan) {
      expect_sound_read(step, c);
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(planned, 1000);
}

TEST(WindowPlan, TakesAnImageThatFitsAtOnce) {
  const auto plan = plan_windows({100, 70}, {8, 12}, {4, 4 * 100 * 70, {16, 16}});
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].read, whole({100, 70}));
  EXPECT_EQ(plan[0].write, whole({100, 70}));
}

TEST(WindowPlan, CutsWholeRowsWithTheirHalo) {
  const auto plan = plan_windows({10, 6}, {2, 1}, {1, 6 * 8, {1, 1}});
  ASSERT_EQ(plan.size(), 3u);
  EXPECT_EQ(plan[0].write, (Window{0, 0, 4, 6}));
  EXPECT_EQ(plan[0].read, (Window{0, 0, 6, 6}));
  EXPECT_EQ(plan[1].write, (Window{4, 0, 4, 6}));
  EXPECT_EQ(plan[1].read, (Window{2, 0, 8, 6}));
  EXPECT_EQ(plan[2].write, (Window{8, 0, 2, 6}));
  EXPECT_EQ(plan[2].read, (Window{6, 0, 4, 6}));
}

TEST(WindowPlan, FollowsTheTilesOfTheFile) {
  const auto plan = plan_windows({1000, 1000}, {8, 0}, {1, 300 * 300, {256, 256}});
  ASSERT_EQ(plan.size(), 16u);
  EXPECT_EQ(plan[1].write, (Window{0, 256, 256, 256}));
}

TEST(WindowPlan, GivesTheTilesUpBeforeItGivesUp) {
  const auto plan = plan_windows({1000, 1000}, {8, 4}, {1, 100 * 100, {512, 512}});
  EXPECT_GT(plan.size(), 4u);
}

TEST(WindowPlan, HasNoStepsForAnEmptyImage) {
  EXPECT_TRUE(plan_windows({0, 0}, {8, 4}, {}).empty());
  EXPECT_TRUE(plan_windows({0, 5}, {8, 4}, {}).empty());
  EXPECT_TRUE(plan_windows({5, 0}, {8, 4}, {}).empty());
}

TEST(WindowPlan, CarriesImagesLargerThanMemory) {
  constexpr std::int64_t kGigabyte = std::int64_t{1} << 30;
  const Size image{200000, 2000};
  const auto plan = plan_windows(image, {8, 24}, {1600, kGigabyte, {1, 1}});
  std::int64_t pixels = 0;
  for (const auto& step : plan) {
    pixels += step.write.pixels();
    ASSERT_EQ(step.write.cols, image.cols);
    ASSERT_LE(step.read.pixels() * 1600, kGigabyte);
  }
  EXPECT_EQ(pixels, image.pixels());
}

TEST(WindowPlan, SaysWhatOneWindowTakesWhereMemoryIsTooSmall) {
  EXPECT_EQ(test::message_of<Error>([] {
              plan_windows({1000, 1000}, {8, 24}, {100000, 64 << 20, {256, 256}});
            }),
            "not enough memory for one window: 56 columns by 56 rows at 100000 bytes per pixel, 64 MB "
            "allowed; raise run.ram_mb");
}

}  // namespace
}  // namespace hyperdefect
