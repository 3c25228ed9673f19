// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "hyperdefect/io/map_reader.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"
#include "support/tiff_files.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Which pixels of a cube count, what is said about those that do not, and what a run makes of it.
class Validity : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> arguments, const std::vector<std::string>& more = {}) const {
    return run_program(joined(joined(std::move(arguments), rx()), more));
  }
  Outcome detect(const fs::path& input, const std::vector<std::string>& more = {}) const {
    return run({"detect", input, "-o", folder_ / "maps", "--overwrite"}, more);
  }
  Outcome train(const std::vector<std::string>& inputs, const std::vector<std::string>& more = {}) const {
    return run(joined({"train", "-o", folder_ / "m.safetensors", "--overwrite"}, inputs), more);
  }
  Outcome infer(const fs::path& input, const std::vector<std::string>& more = {}) const {
    return run_program(joined({"infer", "-m", folder_ / "m.safetensors", input, "-o", folder_ / "maps",
                               "--overwrite", "--threads", "1"},
                              more));
  }
  std::int64_t invalid_pixels(const std::string& name) const {
    return io::read_map(folder_ / ("maps/" + name + "_score.tif")).isnan().sum().item<std::int64_t>();
  }

  /// As GeoTIFF with wavelengths, and -9999 as no-data value.
  std::string write_tiff(const std::string& name, const torch::Tensor& values) const {
    TiffCube cube;
    cube.bands = static_cast<int>(values.size(0));
    cube.rows = static_cast<int>(values.size(1));
    cube.cols = static_cast<int>(values.size(2));
    cube.type = GDT_Float32;
    cube.describe = [](GDALDataset& dataset) {
      dataset.GetRasterBand(1)->SetNoDataValue(-9999);
      for (int band = 1; band <= dataset.GetRasterCount(); ++band) {
        dataset.GetRasterBand(band)->SetMetadataItem("wavelength", std::to_string(450 + 50 * band).c_str());
        dataset.GetRasterBand(band)->SetMetadataItem("wavelength_units", "nm");
      }
    };
    write_tiff_cube(folder_ / name, cube,
                    [&](int band, int row, int col) { return double{values[band][row][col].item<float>()}; });
    return folder_ / name;
  }

  TempDir folder_;
};

/// 8 bands, of which 2 is NaN and 5 no data in the whole image.
torch::Tensor with_two_empty_bands() {
  auto values = mixtures(8, 16, 12, 1);
  values[2].fill_(kNan);
  values[5].fill_(-9999);
  return values;
}

TEST_F(Validity, AnEmptyBandCostsNoPixelOfDetect) {
  const auto cube = write_tiff("scan.tif", with_two_empty_bands());
  for (const auto* bad_band_list : {"true", "false"}) {
    const auto outcome =
        detect(cube, {"--set", std::string("preprocess.use_bad_band_list=") + bad_band_list});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_TRUE(contains(outcome.err,
                         "scan.tif: bands 2, 5 (counted from 0; 600 nm, 750 nm) hold no valid "
                         "value in the whole image: left out\n"));
    EXPECT_EQ(invalid_pixels("scan"), 0);
  }
}

TEST_F(Validity, OneValueMakesABandCount) {
  auto values = with_two_empty_bands();
  values[2][15][11] = 0.5F;
  const auto outcome = detect(write_tiff("scan.tif", values));
  EXPECT_TRUE(contains(outcome.err, "scan.tif: band 5 (counted from 0; 750 nm) holds no valid value"));
  EXPECT_TRUE(contains(outcome.err, "too few valid pixels to learn from: 1"));
}

TEST_F(Validity, WhatIsInvalidDoesNotDependOnTheWindows) {
  auto values = with_two_empty_bands().repeat({1, 30, 30});
  values.slice(1, 0, 200).fill_(-5);
  const auto cube = write_tiff("scan.tif", values);
  const auto whole = detect(cube);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const auto map = io::read_map(folder_ / "maps/scan_score.tif");
  const auto pieces = detect(cube, {"--ram", "64"});
  ASSERT_EQ(pieces.exit_code, 0) << pieces.err;
  EXPECT_EQ(pieces.err, whole.err);
  EXPECT_TRUE(io::read_map(folder_ / "maps/scan_score.tif").isnan().equal(map.isnan()));
}

TEST_F(Validity, AnImageWithoutAnyValueStaysAnError) {
  const auto outcome = detect(write_tiff("scan.tif", torch::full({4, 5, 6}, -9999.0)));
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
}

TEST_F(Validity, ADroppedBandCostsNoPixel) {
  auto values = mixtures(8, 16, 12, 1);
  values[3].slice(0, 0, 4).fill_(-9999);
  values[7].slice(0, 8).fill_(kNan);
  const auto cube = write_tiff("scan.tif", values);
  ASSERT_EQ(detect(cube).exit_code, 0);
  EXPECT_EQ(invalid_pixels("scan"), 12 * 12);
  for (const std::vector<std::string>& drops :
       {std::vector<std::string>{"preprocess.drop_bands=[3,7]"},
        {"preprocess.drop_ranges_nm=[640,660,840,860]"},
        {"preprocess.drop_bands=[3]", "preprocess.max_wavelength_nm=800"}}) {
    std::vector<std::string> settings;
    for (const auto& drop : drops) {
      settings = joined(settings, {"--set", drop});
    }
    ASSERT_EQ(detect(cube, settings).exit_code, 0);
    EXPECT_EQ(invalid_pixels("scan"), 0) << drops.front();
    const auto trained = train({cube}, settings);
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    ASSERT_EQ(infer(cube).exit_code, 0);
    EXPECT_EQ(invalid_pixels("scan"), 0) << drops.front();
  }
}

TEST_F(Validity, ABandThatTheModelDoesNotTakeCostsNoPixel) {
  ASSERT_EQ(train({write_tiff("normal.tif", mixtures(6, 16, 12, 1))}).exit_code, 0);
  auto values = mixtures(8, 16, 12, 2);
  values[6].fill_(kNan);
  values[7].slice(0, 0, 4).fill_(-9999);
  const auto outcome = infer(write_tiff("scan.tif", values));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(invalid_pixels("scan"), 0);
  EXPECT_EQ(outcome.err.find("no valid value"), std::string::npos) << outcome.err;
}

TEST_F(Validity, ABandThatTheModelNeedsAndTheCubeCallsBadIsNamed) {
  ASSERT_EQ(train({write_tiff("normal.tif", mixtures(8, 16, 12, 1))}).exit_code, 0);
  const auto scan = write_tiff("scan.tif", mixtures(8, 16, 12, 2));
  write_bytes(folder_ / "scan.tif.hdr", "ENVI\nbbl = {1, 1, 1, 0, 1, 1, 0, 1}\n");
  const auto outcome = infer(scan);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err,
                       "scan.tif: bands 3, 6 (counted from 0; 650 nm, 800 nm), which the cube's own list "
                       "(bbl) marks as bad, are used anyway: the model needs them"))
      << outcome.err;
}

TEST_F(Validity, ABandThatTheModelNeedsMustHoldValues) {
  ASSERT_EQ(train({write_tiff("normal.tif", mixtures(8, 16, 12, 1))}).exit_code, 0);
  expect_failure(
      infer(write_tiff("scan.tif", with_two_empty_bands())), 3,
      "scan.tif: bands 2, 5 (counted from 0; 600 nm, 750 nm), which the model needs, hold no valid "
      "value in the whole image");
  fs::create_directories(folder_ / "in");
  fs::rename(folder_ / "normal.tif", folder_ / "in/a.tif");
  fs::rename(folder_ / "scan.tif", folder_ / "in/b.tif");
  const auto batch = infer(folder_ / "in");
  EXPECT_EQ(batch.exit_code, 5) << batch.err;
  EXPECT_TRUE(
      contains(read_bytes(folder_ / "maps/scores.csv"), "which the model needs, hold no valid value"));
}

TEST_F(Validity, TrainingLeavesOutWhatIsEmptyInTheFirstCube) {
  const auto first = write_cube(folder_ / "a.img",
                                with_two_empty_bands().masked_fill(with_two_empty_bands().eq(-9999), kNan));
  const auto second = write_cube(folder_ / "b.img", mixtures(8, 16, 12, 2));
  const auto outcome = train({first, second});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(
      contains(outcome.err, "a.img: bands 2, 5 (counted from 0; 600 nm, 750 nm) hold no valid value"));
  const auto config = (folder_ / "m.config.yaml").string();
  EXPECT_TRUE(contains(read_bytes(config), "drop_bands: [2, 5]"));
  for (const auto& cube : {first, second}) {
    const auto judged = infer(cube, {"-c", config});
    ASSERT_EQ(judged.exit_code, 0) << judged.err;
    EXPECT_EQ(judged.err.find("no valid value"), std::string::npos) << judged.err;
  }
  expect_failure(train({second, first}), 3, "a.img: bands 2, 5 (counted from 0; 600 nm, 750 nm), which the");
}

/// A cube of which more than half is one value that nobody declares.
torch::Tensor with_fill(double value) {
  auto values = mixtures_with_defect(8, 16, 12, 1);
  values.slice(1, 6).fill_(value);
  return values;
}

TEST_F(Validity, NamesAnUndeclaredFillAndTheSettingThatMendsIt) {
  const auto cube = write_cube(folder_ / "scan.img", with_fill(-9999));
  const std::string warning =
      "scan.img: 63 % of the pixels hold -9999 in all bands, which nothing marks as no data: if it is "
      "missing data, set data.no_data=[-9999]\n";
  EXPECT_TRUE(contains(detect(cube).err, warning));
  EXPECT_TRUE(contains(train({cube}).err, warning));
  EXPECT_TRUE(contains(infer(cube).err, warning));
  const std::vector<std::string> mended{"--set", "data.no_data=[-9999]"};
  const auto outcome = detect(cube, mended);
  EXPECT_EQ(outcome.err.find("no data"), std::string::npos) << outcome.err;
  EXPECT_EQ(invalid_pixels("scan"), 10 * 12);
  EXPECT_EQ(train({cube}, mended).err.find("no data"), std::string::npos);
}

TEST_F(Validity, KeepsWhatTheFileDeclaresInItsAdvice) {
  auto values = with_fill(-1);
  values.slice(1, 0, 1).fill_(-9999);
  const auto cube = write_tiff("scan.tif", values);
  EXPECT_TRUE(contains(detect(cube).err, "set data.no_data=[-9999,-1]\n"));
  detect(cube, {"--set", "data.no_data=[-9999,-1]"});
  EXPECT_EQ(invalid_pixels("scan"), 11 * 12);
}

TEST_F(Validity, NamesASpectrumThatManyPixelsShare) {
  auto values = mixtures(8, 16, 12, 1);
  values.slice(1, 12).copy_(torch::arange(1, 9).to(torch::kFloat).view({8, 1, 1}).expand({8, 4, 12}));
  const auto outcome = detect(write_cube(folder_ / "scan.img", values));
  EXPECT_TRUE(contains(outcome.err,
                       "scan.img: 25 % of the pixels hold one and the same spectrum (1, 2, 3, ...), which "
                       "nothing marks as no data: if it is missing data, mark these pixels in the file"));
}

TEST_F(Validity, SaysNothingOfWhatIsMarkedAlreadyOrRare) {
  const auto zeros = write_cube(folder_ / "zeros.img", with_fill(0));
  EXPECT_EQ(detect(zeros).err.find("of the pixels hold"), std::string::npos);
  EXPECT_TRUE(contains(detect(zeros, {"--set", "data.zero_is_invalid=false"}).err,
                       "hold 0 in all bands, which nothing marks as no data: if it is missing data, set "
                       "data.zero_is_invalid=true"));
  auto rare = mixtures(8, 16, 12, 1);
  rare.select(1, 3).fill_(-1);
  EXPECT_EQ(detect(write_cube(folder_ / "rare.img", rare)).err.find("of the pixels hold"), std::string::npos);
}

TEST_F(Validity, AMasksNoDataValueHidesNoDefect) {
  const auto cube = write_cube(folder_ / "scan.img", mixtures_with_defect(8, 16, 12, 1));
  ASSERT_EQ(detect(cube).exit_code, 0);
  TiffCube mask;
  mask.bands = 1;
  mask.rows = 16;
  mask.cols = 12;
  mask.type = GDT_Byte;
  mask.describe = [](GDALDataset& dataset) { dataset.GetRasterBand(1)->SetNoDataValue(255); };
  fs::create_directories(folder_ / "truth");
  write_tiff_cube(folder_ / "truth/scan_mask.tif", mask,
                  [](int, int row, int col) { return row == 2 && (col == 3 || col == 4) ? 255.0 : 0.0; });
  const auto outcome = run_program({"eval", folder_ / "maps", "--truth", folder_ / "truth", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["cubes"][0]["defect_pixels"], 2);
  EXPECT_TRUE(contains(outcome.err,
                       "scan_mask.tif: 2 pixels of the mask hold its no-data value 255 and count "
                       "as defects"));
}

}  // namespace
}  // namespace hyperdefect::test
