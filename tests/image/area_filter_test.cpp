// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/area_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace hyperdefect::image {
namespace {

using Areas = std::vector<std::int64_t>;
constexpr double kAny = std::numeric_limits<double>::infinity();

torch::Tensor all_valid(const torch::Tensor& maps) {
  return torch::ones({maps.size(-2), maps.size(-1)}, torch::kBool);
}

/// One map (rows, cols) and one area.
torch::Tensor top_hat(const torch::Tensor& map, const torch::Tensor& valid, std::int64_t area,
                      double extent = kAny) {
  return area_top_hats(map.unsqueeze(0), valid, {area}, extent)[0][0];
}

/// The pixels of `inside` that can be reached from (row, col) by steps to the four neighbours.
torch::Tensor flooded(const torch::Tensor& inside, std::int64_t row, std::int64_t col) {
  auto seen = torch::zeros(inside.sizes(), torch::kBool);
  std::vector<std::pair<std::int64_t, std::int64_t>> open{{row, col}};
  while (!open.empty()) {
    const auto [r, c] = open.back();
    open.pop_back();
    if (r < 0 || c < 0 || r >= inside.size(0) || c >= inside.size(1) || seen[r][c].item<bool>() ||
        !inside[r][c].item<bool>()) {
      continue;
    }
    seen[r][c] = true;
    open.insert(open.end(), {{r - 1, c}, {r + 1, c}, {r, c - 1}, {r, c + 1}});
  }
  return seen;
}

/// Whether a component, with its mirror images beyond the borders that it touches, has the area or the
/// extent.
bool is_large(const torch::Tensor& component, std::int64_t area, double extent) {
  auto pixels = component.sum().item<std::int64_t>();
  std::int64_t longest = 0;
  for (const std::int64_t axis : {0, 1}) {
    const auto occupied = component.any(1 - axis).nonzero().flatten();
    const bool mirrored = occupied[0].item<std::int64_t>() == 0 ||
                          occupied[-1].item<std::int64_t>() == component.size(axis) - 1;
    const auto length = (occupied[-1] - occupied[0]).item<std::int64_t>() + 1;
    longest = std::max(longest, mirrored ? 2 * length : length);
    pixels *= mirrored ? 2 : 1;
  }
  return pixels >= area || static_cast<double>(longest) >= extent * std::sqrt(static_cast<double>(area));
}

/// The opening at one pixel, by its definition.
float opened_at(const torch::Tensor& map, const torch::Tensor& valid, std::int64_t area, double extent,
                std::int64_t row, std::int64_t col) {
  const auto region = flooded(valid, row, col);
  const auto levels = std::get<0>(map.masked_select(region).sort(0, true));
  for (std::int64_t i = 0; i < levels.numel(); ++i) {
    const auto level = levels[i].item<float>();
    if (level <= map[row][col].item<float>() &&
        is_large(flooded(valid.logical_and(map >= level), row, col), area, extent)) {
      return level;
    }
  }
  return levels[-1].item<float>();
}

torch::Tensor by_definition(const torch::Tensor& map, const torch::Tensor& valid, std::int64_t area,
                            double extent) {
  auto result = torch::zeros_like(map);
  for (std::int64_t row = 0; row < map.size(0); ++row) {
    for (std::int64_t col = 0; col < map.size(1); ++col) {
      if (valid[row][col].item<bool>()) {
        const auto opened = opened_at(map, valid, area, extent, row, col);
        const auto closed = -opened_at(-map, valid, area, extent, row, col);
        result[row][col] = closed - opened;
      }
    }
  }
  return result;
}

TEST(AreaTopHats, MatchTheExampleByHand) {
  const auto map = torch::tensor({{0.0F, 0.0F, 0.0F, 0.0F, 0.0F},
                                  {0.0F, 5.0F, 3.0F, 0.0F, 0.0F},
                                  {0.0F, 0.0F, 0.0F, 0.0F, -4.0F},
                                  {0.0F, 2.0F, 2.0F, 2.0F, 0.0F}});
  const auto hats = area_top_hats(map.unsqueeze(0), all_valid(map), {1, 2, 3, 4});
  EXPECT_EQ(hats.sizes(), (torch::IntArrayRef{4, 1, 4, 5}));
  auto expected = torch::zeros({4, 4, 5});
  // A peak of one pixel falls to its shoulder, then to the ground. At a border -4 counts twice, and is filled
  // from area 3 on; three pixels count as six.
  expected[1][1][1] = 2;
  expected.slice(0, 2).select(1, 2).select(1, 4).fill_(4);
  expected.slice(0, 2).select(1, 1).select(1, 1).fill_(5);
  expected.slice(0, 2).select(1, 1).select(1, 2).fill_(3);
  EXPECT_TRUE(hats.squeeze(1).equal(expected)) << hats;
}

TEST(AreaTopHats, AreThoseOfTheMirroredImage) {
  torch::manual_seed(4);
  const auto map = torch::randint(0, 6, {9, 8}).to(torch::kFloat);
  const auto beside = torch::cat({map.flip(1), map, map.flip(1)}, 1);
  const auto mirrored = torch::cat({beside.flip(0), beside, beside.flip(0)});
  // So few pixels reach no second border.
  for (const std::int64_t area : {2, 5, 8}) {
    const auto around = top_hat(mirrored, all_valid(mirrored), area);
    EXPECT_TRUE(top_hat(map, all_valid(map), area).equal(around.narrow(0, 9, 9).narrow(1, 8, 8))) << area;
  }
}

TEST(AreaTopHats, TakeLinesForLargeWithAnExtent) {
  auto map = torch::zeros({20, 20});
  map[4].slice(0, 3, 12).fill_(5);
  map.slice(0, 10, 13).slice(1, 5, 8).fill_(3);
  const auto valid = all_valid(map);
  EXPECT_TRUE(top_hat(map, valid, 25).equal(map));
  auto spot = map.clone();
  spot[4].zero_();
  EXPECT_TRUE(top_hat(map, valid, 25, 1.6).equal(spot)) << "9 pixels in a row are longer than 8";
}

TEST(AreaTopHats, MayLeaveDarkSpotsAlone) {
  torch::manual_seed(5);
  const auto maps = torch::randint(0, 6, {1, 9, 8}).to(torch::kFloat);
  const auto valid = all_valid(maps[0]);
  const auto bright = area_top_hats(maps, valid, {5}, kAny, TopHat::bright);
  const auto dark = area_top_hats(-maps, valid, {5}, kAny, TopHat::bright);
  EXPECT_GT(bright.sum().item<float>(), 0.0F);
  EXPECT_TRUE((bright + dark).equal(area_top_hats(maps, valid, {5})));
}

TEST(AreaTopHats, ReachAsFarAsTheLongestSpot) {
  EXPECT_EQ(area_filter_reach_px({4, 10}, kAny), 10);
  EXPECT_EQ(area_filter_reach_px({4, 100}, 1.6), 16);
  EXPECT_EQ(area_filter_reach_px({2}, 50.0), 2);
  EXPECT_EQ(area_filter_reach_px({}, 1.6), 0);
}

TEST(AreaTopHats, JoinOnlyFourNeighbours) {
  auto map = torch::zeros({4, 4});
  map[1][1] = 1;
  map[2][2] = 1;
  EXPECT_EQ(top_hat(map, all_valid(map), 2).sum().item<float>(), 2.0F);
}

TEST(AreaTopHats, MatchTheDefinition) {
  torch::manual_seed(1);
  // Few levels give many ties.
  for (const std::int64_t levels : {3, 6, 1000}) {
    const auto map = torch::randint(0, levels, {6, 7}).to(torch::kFloat) - 2.0F;
    const auto valid = torch::rand({6, 7}) < 0.85;
    for (const std::int64_t area : {1, 2, 3, 5, 9, 30}) {
      for (const double extent : {kAny, 1.6, 1.0}) {
        EXPECT_TRUE(top_hat(map, valid, area, extent).equal(by_definition(map, valid, area, extent)))
            << levels << " levels, area " << area << ", extent " << extent << "\n"
            << map << valid;
      }
    }
  }
}

TEST(AreaTopHats, FindNothingMoreInWhatWasFiltered) {
  auto map = torch::zeros({12, 12});
  map.slice(0, 2, 5).slice(1, 2, 5).fill_(1);
  map[3][3] = 4;
  map.slice(0, 7, 9).slice(1, 6, 8).fill_(2);
  const auto hat = top_hat(map, all_valid(map), 6);
  EXPECT_EQ(hat.sum().item<float>(), 3 + 4 * 2);
  EXPECT_EQ(top_hat(map - hat, all_valid(map), 6).abs().sum().item<float>(), 0.0F);
}

TEST(AreaTopHats, ScaleWithTheMapAndDoNotSeeItsOffset) {
  torch::manual_seed(2);
  const auto map = torch::randint(0, 50, {15, 11}).to(torch::kFloat);
  const auto hat = top_hat(map, all_valid(map), 7);
  EXPECT_GT(hat.sum().item<float>(), 0.0F);
  EXPECT_TRUE(top_hat(4 * map + 16, all_valid(map), 7).equal(4 * hat));
  EXPECT_TRUE(top_hat(-map, all_valid(map), 7).equal(hat));
}

TEST(AreaTopHats, TakeNoAccountOfInvalidPixels) {
  auto map = torch::zeros({5, 5});
  map.select(1, 2).fill_(-9999);
  map[1][2] = std::numeric_limits<float>::quiet_NaN();
  map[2][1] = 3;
  map[2][3] = 3;
  auto valid = all_valid(map);
  valid.select(1, 2).fill_(false);
  auto expected = torch::zeros({5, 5});
  expected[2][1] = 3;
  expected[2][3] = 3;
  EXPECT_TRUE(top_hat(map, valid, 3).equal(expected));
  const auto none = torch::zeros_like(valid);
  EXPECT_TRUE(top_hat(map, none, 3).equal(torch::zeros({5, 5})));
  auto gap = torch::full({1, 4}, 2.0F);
  gap[0][1] = std::numeric_limits<float>::quiet_NaN();
  gap[0][3] = 0;
  EXPECT_TRUE(top_hat(gap, all_valid(gap), 5).equal(torch::tensor({{0.0F, 0.0F, 2.0F, 2.0F}})));
}

class Tiles : public ::testing::TestWithParam<double> {};

TEST_P(Tiles, GiveTheSameWithAHalo) {
  torch::manual_seed(3);
  const auto maps = torch::randn({3, 40, 44}).cumsum(1);
  const auto valid = torch::rand({40, 44}) < 0.95;
  const Areas areas{4, 10};
  const auto whole_maps = area_top_hats(maps, valid, areas, GetParam());
  const auto halo = area_filter_reach_px(areas, GetParam());
  for (const std::int64_t begin : {0, 10, 20, 30}) {
    const auto first = std::max<std::int64_t>(0, begin - halo);
    const auto end = std::min<std::int64_t>(40, begin + 10 + halo);
    const auto tile = area_top_hats(maps.slice(1, first, end), valid.slice(0, first, end), areas, GetParam());
    EXPECT_TRUE(
        tile.narrow(2, begin - first, 10).contiguous().equal(whole_maps.narrow(2, begin, 10).contiguous()));
  }
}

INSTANTIATE_TEST_SUITE_P(AreaTopHats, Tiles, ::testing::Values(kAny, 1.6, 0.7));

TEST(AreaTopHats, AcceptMapsOfNoSize) {
  EXPECT_EQ(area_top_hats(torch::zeros({2, 0, 5}), torch::zeros({0, 5}, torch::kBool), {3}).sizes(),
            (torch::IntArrayRef{1, 2, 0, 5}));
  EXPECT_EQ(area_top_hats(torch::zeros({2, 4, 5}), torch::ones({4, 5}, torch::kBool), {}).sizes(),
            (torch::IntArrayRef{0, 2, 4, 5}));
}

TEST(AreaTopHats, RefuseWrongShapes) {
  EXPECT_THROW(area_top_hats(torch::zeros({2, 2}), torch::ones({2, 2}, torch::kBool), {3}), c10::Error);
  EXPECT_THROW(area_top_hats(torch::zeros({1, 2, 2}), torch::ones({2, 3}, torch::kBool), {3}), c10::Error);
}

}  // namespace
}  // namespace hyperdefect::image
