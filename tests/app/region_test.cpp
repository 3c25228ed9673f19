// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "hyperdefect/io/map_reader.h"
#include "hyperdefect/io/mask_writer.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

/// Rows 4 to 11 and columns 2 to 9 of 16 x 12 pixels.
torch::Tensor square() {
  auto region = torch::zeros({16, 12}, torch::kBool);
  region.slice(0, 4, 12).slice(1, 2, 10).fill_(true);
  return region;
}

/// Runs in which a part of each cube is the product.
class Region : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> arguments, const std::vector<std::string>& more = {}) const {
    return run_program(joined(joined(std::move(arguments), rx()), more));
  }
  std::vector<std::string> inside(const fs::path& region) const {
    return {"--set", "data.region=" + region.string()};
  }
  Outcome detect(const fs::path& input, const std::vector<std::string>& more) const {
    return run({"detect", input, "-o", folder_ / "maps", "--overwrite"}, more);
  }
  Outcome train(const fs::path& input, const std::vector<std::string>& more) const {
    return run({"train", input, "-o", folder_ / "m.safetensors", "--overwrite"}, more);
  }
  Outcome infer(const fs::path& input, const std::vector<std::string>& more = {}) const {
    return run_program(joined({"infer", "-m", folder_ / "m.safetensors", input, "-o", folder_ / "maps",
                               "--overwrite", "--threads", "1"},
                              more));
  }
  fs::path mask(const std::string& name, const torch::Tensor& region) const {
    fs::create_directories((folder_.path() / name).parent_path());
    io::write_mask(folder_ / name, region);
    return folder_ / name;
  }
  torch::Tensor map(const std::string& name) const { return io::read_map(folder_ / ("maps/" + name)); }
  nlohmann::json row(const std::string& stem) const {
    return nlohmann::json::parse(read_bytes(folder_ / ("maps/" + stem + ".json")));
  }

  TempDir folder_;
};

TEST_F(Region, HasScoresAndDefectsOnlyInside) {
  auto values = mixtures(8, 16, 12, 1);
  values.slice(1, 6, 8).slice(2, 5, 7).fill_(3);
  const auto outcome = detect(write_cube(folder_ / "scan.img", values), inside(mask("mask.png", square())));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto outside = square().logical_not();
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(outside));
  EXPECT_TRUE(map("scan_sad.tif").isnan().equal(outside));
  EXPECT_TRUE(map("scan_defects.tif").isnan().equal(outside)) << "255 is no data";
  const auto told = row("scan");
  EXPECT_EQ(told["region_share"], 64.0 / 192);
  EXPECT_EQ(told["valid_share"], 1.0);
  EXPECT_EQ(told["invalid_pixels"], 0);
  EXPECT_TRUE(contains(read_bytes(folder_ / "maps/scores.csv"), ",dead_elements,region_share,drift\n"));
}

/// Glints, missing values and saturation around the product change nothing, in one window or many.
TEST_F(Region, WhatIsOutsideCountsForNothing) {
  const auto values = mixtures(8, 16, 12, 1);
  auto noisy = values.clone();
  noisy.masked_fill_(square().logical_not(), 1000);
  noisy.slice(1, 0, 3).fill_(std::nanf(""));
  noisy.select(0, 4).masked_fill_(square().logical_not(), 0);
  const auto more = joined(inside(mask("mask.png", square())), {"--set", "data.saturation=[900]"});
  const auto clean = write_cube(folder_ / "a/scan.img", values);
  const auto spoiled = write_cube(folder_ / "b/scan.img", noisy);
  ASSERT_EQ(detect(clean, more).exit_code, 0);
  const auto expected = read_bytes(folder_ / "maps/scan_score.tif");
  const auto told = row("scan");
  for (const auto* ram : {"64", "4096"}) {
    const auto outcome = detect(spoiled, joined(more, {"--ram", ram}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
    EXPECT_EQ(read_bytes(folder_ / "maps/scan_score.tif"), expected);
  }
  EXPECT_EQ(row("scan")["verdict"], told["verdict"]);
  EXPECT_EQ(row("scan")["valid_share"], 1.0);
  ASSERT_EQ(train(clean, more).exit_code, 0);
  const auto info = run_program({"info", folder_ / "m.safetensors", "--json"});
  ASSERT_EQ(train(spoiled, more).exit_code, 0);
  const auto again = run_program({"info", folder_ / "m.safetensors", "--json"});
  EXPECT_EQ(nlohmann::json::parse(info.out)[0]["threshold"],
            nlohmann::json::parse(again.out)[0]["threshold"]);
}

TEST_F(Region, MissingPixelsInsideStillCount) {
  auto values = mixtures(8, 16, 12, 1);
  values.slice(1, 7, 9).slice(2, 5, 7).fill_(std::nanf(""));
  const auto outcome = detect(write_cube(folder_ / "scan.img", values),
                              joined(inside(mask("mask.png", square())), {"--set", "threshold.value=1000"}));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  EXPECT_EQ(row("scan")["valid_share"], 60.0 / 64);
  EXPECT_EQ(row("scan")["invalid_pixels"], 4);
  EXPECT_TRUE(contains(row("scan")["reason"], "1 island of missing pixels inside the image"));
}

TEST_F(Region, MayBePolygonsInPixels) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  write_bytes(folder_ / "region.geojson",
              R"({"type":"Polygon","coordinates":[[[2,4],[10,4],[10,12],[2,12],[2,4]]]})");
  ASSERT_EQ(detect(cube, inside(folder_ / "region.geojson")).exit_code, 0);
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(square().logical_not()));
}

TEST_F(Region, IsSmallerByItsBorder) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  const auto region = inside(mask("mask.png", square()));
  ASSERT_EQ(detect(cube, joined(region, {"--set", "data.region_border_px=2"})).exit_code, 0);
  EXPECT_EQ(row("scan")["region_share"], 16.0 / 192);
  expect_failure(
      detect(cube, joined(region, {"--set", "data.region_border_px=4"})), 3,
      "mask.png: no pixel of the region is 4 pixels inside its border: lower data.region_border_px");
}

TEST_F(Region, OfEachCubeIsItsMaskInAFolder) {
  write_small_cube(folder_ / "cubes/day1/scan.img");
  write_small_cube(folder_ / "cubes/day2/scan.img", 2);
  write_small_cube(folder_ / "cubes/other.img", 3);
  mask("masks/day1/scan.png", square());
  mask("masks/scan.png", torch::ones({16, 12}, torch::kBool));
  const auto outcome = detect(folder_ / "cubes", inside(folder_ / "masks"));
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "other.img: has no mask of the product in "));
  EXPECT_EQ(row("day1/scan")["region_share"], 64.0 / 192);
  EXPECT_EQ(row("day2/scan")["region_share"], 1.0) << "the same folder comes first, then the top";
  const auto summary = nlohmann::json::parse(read_bytes(folder_ / "maps/summary.json"));
  EXPECT_EQ(summary["totals"]["failed"], 1);
  expect_failure(train(folder_ / "cubes", inside(folder_ / "masks")), 3,
                 "other.img: has no mask of the product in ");
}

TEST_F(Region, WithTwoMasksOfACubeIsRefused) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  mask("masks/scan.png", square());
  fs::copy_file(folder_ / "masks/scan.png", folder_ / "masks/scan.tif");
  expect_failure(detect(cube, inside(folder_ / "masks")), 3,
                 "scan.png and scan.tif: are both the region of ");
}

TEST_F(Region, ThatDoesNotFitIsRefused) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  expect_failure(detect(cube, inside(folder_ / "no.png")), 2, "no.png does not exist: give polygons, a mask");
  expect_failure(train(cube, inside(folder_ / "no.png")), 2, "no.png does not exist");
  EXPECT_FALSE(fs::exists(folder_ / "maps")) << "it is found before any work";
  write_bytes(folder_ / "bad.png", "no picture");
  expect_failure(detect(cube, inside(folder_ / "bad.png")), 3, "bad.png: the mask cannot be read");
  expect_failure(detect(cube, inside(mask("small.png", torch::ones({3, 3}, torch::kBool)))), 3,
                 "small.png has 3 x 3 pixels (rows x cols), but ");
  expect_failure(detect(cube, inside(mask("none.png", torch::zeros({16, 12}, torch::kBool)))), 3,
                 "none.png: the mask marks no pixel");
  write_bytes(folder_ / "far.geojson",
              R"({"type":"Polygon","coordinates":[[[20,4],[30,4],[30,12],[20,12],[20,4]]]})");
  expect_failure(
      detect(cube, inside(folder_ / "far.geojson")), 3,
      "lies in its polygons: the polygons cover x 20 to 30, y 4 to 12, the image x 0 to 12, y 0 to 16");
}

TEST_F(Region, OfTheTrainingCubesIsNotThatOfOthers) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  ASSERT_EQ(train(cube, inside(mask("mask.png", square()))).exit_code, 0);
  expect_failure(infer(cube), 2, "m.safetensors was trained inside a region (data.region=");
  ASSERT_EQ(infer(cube, inside("none")).exit_code % 5, 0);
  EXPECT_EQ(row("scan")["region_share"], 1.0);
  ASSERT_EQ(infer(cube, inside(mask("other.png", square().roll(1, 0)))).exit_code % 5, 0);
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(square().roll(1, 0).logical_not()));
}

TEST_F(Region, IsPartOfWhatResumeCompares) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  const auto region = inside(mask("mask.png", square()));
  ASSERT_EQ(detect(cube, region).exit_code, 0);
  const auto resume = [&] { return run({"detect", cube, "-o", folder_ / "maps", "--resume"}, region); };
  EXPECT_TRUE(contains(resume().err, "1 of 1 cube"));
  mask("mask.png", square().logical_not());
  EXPECT_TRUE(contains(resume().err, "is judged again: "));
  EXPECT_EQ(row("scan")["region_share"], 128.0 / 192);
}

/// (8, 40, 40): a dark product of 24 x 24 pixels on a bright belt, with light that falls off to one side; the
/// row and column of its corner.
torch::Tensor product_on_belt(std::int64_t row, std::int64_t col, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  const auto axis = torch::linspace(0, 1, 8).view({-1, 1, 1});
  const auto light = torch::linspace(1, 0.6, 40).view({1, 1, -1});
  auto values = (0.8 - 0.3 * axis) * light * torch::ones({8, 40, 40});
  const auto product = (0.15 + 0.2 * axis) * light;
  values.slice(1, row, row + 24)
      .slice(2, col, col + 24)
      .copy_(product.expand({8, 40, 40}).slice(1, row, row + 24).slice(2, col, col + 24));
  return values * (1 + 0.03 * torch::randn({8, 40, 40}, generator));
}

torch::Tensor product_region(std::int64_t row, std::int64_t col, std::int64_t border) {
  auto region = torch::zeros({40, 40}, torch::kBool);
  region.slice(0, row + border, row + 24 - border).slice(1, col + border, col + 24 - border).fill_(true);
  return region;
}

std::vector<std::string> automatic(const std::string& word, int border = 2) {
  return {"--set", "data.region=" + word, "--set", "data.region_border_px=" + std::to_string(border)};
}

TEST_F(Region, IsFoundInAScene) {
  const auto cube = write_cube(folder_ / "scan.img", product_on_belt(5, 9, 1));
  const auto outcome = detect(cube, {"--set", "data.region=auto_darker", "--save-model"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(product_region(5, 9, 2).logical_not()));
  EXPECT_TRUE(
      contains(outcome.err,
               "scan.img: data.region: the product is the darker of two materials and has 36 % of the "
               "pixels; 0 % lie between the two. If that is the background, choose the other one: "
               "auto_brighter"));
  ASSERT_EQ(detect(cube, automatic("auto", 0)).exit_code, 0);
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(product_region(5, 9, 0))) << "the belt is larger";
  ASSERT_EQ(detect(cube, automatic("auto_smaller", 0)).exit_code, 0);
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(product_region(5, 9, 0).logical_not()));
  ASSERT_EQ(detect(cube, automatic("auto_brighter", 0)).exit_code, 0);
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(product_region(5, 9, 0)));
}

TEST_F(Region, IsLearnedAndFoundInOtherCubes) {
  write_cube(folder_ / "good/a.img", product_on_belt(5, 9, 1));
  write_cube(folder_ / "good/b.img", product_on_belt(12, 3, 2));
  const auto trained = train(folder_ / "good", {"--set", "data.region=auto_darker"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_TRUE(contains(trained.err, "the product is the darker of two materials"));
  const auto cube = write_cube(folder_ / "scan.img", product_on_belt(2, 14, 3));
  ASSERT_EQ(infer(cube).exit_code % 5, 0);
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(product_region(2, 14, 2).logical_not()));
  const auto belt =
      write_cube(folder_ / "belt.img", product_on_belt(2, 14, 3).flip(2).slice(2, 0, 2).contiguous());
  expect_failure(infer(belt), 3, "belt.img: no pixel looks like the product (data.region=auto_darker)");
  const auto bare = write_cube(folder_ / "bare.img",
                               product_on_belt(2, 14, 3).slice(1, 2, 26).slice(2, 14, 38).contiguous());
  ASSERT_EQ(infer(bare).exit_code % 5, 0);
  EXPECT_EQ(row("bare")["region_share"], 1.0) << "the product fills the image";
  expect_failure(infer(cube, inside("auto")), 2, "data.region is auto, but ");
}

TEST_F(Region, KeepsADefectThatLooksLikeTheBackground) {
  auto values = product_on_belt(5, 9, 1);
  values.slice(1, 12, 15).slice(2, 20, 23).copy_(values.slice(1, 0, 3).slice(2, 20, 23));
  ASSERT_EQ(detect(write_cube(folder_ / "scan.img", values),
                   {"--set", "data.region=auto_darker", "--set", "threshold.value=4"})
                .exit_code,
            0);
  EXPECT_TRUE(map("scan_score.tif").isnan().equal(product_region(5, 9, 2).logical_not()));
  EXPECT_TRUE(map("scan_defects.tif").slice(0, 12, 15).slice(1, 20, 23).eq(1).any().item<bool>());
}

TEST_F(Region, IsTheWholeImageOfOneMaterialAndRefusedIfUnclear) {
  const auto bare = write_cube(folder_ / "bare.img",
                               product_on_belt(2, 14, 3).slice(1, 2, 26).slice(2, 20, 38).contiguous());
  const auto outcome = detect(bare, {"--set", "data.region=auto"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(
      contains(outcome.err, "bare.img: data.region: there is one material only (the brightest pixels are "));
  EXPECT_EQ(row("bare")["region_share"], 1.0);
  const auto mixed =
      write_cube(folder_ / "mixed.img", mixtures(8, 40, 40, 1) * torch::rand({1, 40, 40}).add(0.1));
  expect_failure(detect(mixed, {"--set", "data.region=auto"}), 3,
                 "mixed.img: data.region=auto cannot tell the product from the background: ");
}

TEST_F(Region, ThatNoBackgroundTaughtIsTheWholeImage) {
  write_small_cube(folder_ / "small.img");
  const auto bare = write_cube(folder_ / "bare.img",
                               product_on_belt(2, 14, 3).slice(1, 2, 26).slice(2, 20, 38).contiguous());
  ASSERT_EQ(train(bare, {"--set", "data.region=auto"}).exit_code, 0);
  ASSERT_EQ(infer(bare).exit_code % 5, 0);
  EXPECT_EQ(row("bare")["region_share"], 1.0);
  ASSERT_EQ(train(bare, {}).exit_code, 0);
  expect_failure(infer(bare, inside("auto")), 2,
                 "was trained with none, so that it does not know the background");
}

}  // namespace
}  // namespace hyperdefect::test
