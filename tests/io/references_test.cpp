// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/references.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/format/pixel_state.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/io/cube_reader.h"
#include "support/envi_files.h"
#include "support/expect_error.h"
#include "support/test_data.h"

namespace hyperdefect::io {
namespace {

using test::RawCube;

format::CubeInfo info_of(const std::filesystem::path& file, const format::ReadOptions& options = {}) {
  return format::read_cube_info(file, options);
}

/// A cube of 4 rows, 3 columns and 4 bands, and its references of other numbers of lines.
class ReferencesTest : public ::testing::Test {
 protected:
  ReferencesTest() {
    write("scan", 4, [](auto b, auto r, auto c) { return 200 + 100 * b + 10 * r + c; });
    write("white", 2, white);
    write("dark", 3, dark);
  }

  static std::int64_t white(std::int64_t band, std::int64_t row, std::int64_t col) {
    return 1100 + 10 * band + col + 2 * row;
  }
  static std::int64_t dark(std::int64_t band, std::int64_t row, std::int64_t col) {
    return 100 + band + 5 * col + row;
  }

  template <class Value>
  void write(const std::string& name, std::int64_t rows, Value value, const RawCube& like = {}) const {
    auto cube = like;
    cube.rows = rows;
    test::write_raw_cube<std::uint16_t>(folder_ / (name + ".img"), cube, value);
  }

  std::filesystem::path file(const std::string& name) const { return folder_ / (name + ".img"); }

  CubeReader reader(const format::ReadOptions& options = {}, bool with_dark = true) const {
    const auto info = info_of(file("scan"), options);
    References references{info_of(file("white"), options), std::nullopt};
    if (with_dark) {
      references.dark = info_of(file("dark"), options);
    }
    CubeReader reader(info, options);
    reader.convert_to_reflectance(read_references(references, info, options));
    return reader;
  }

  spectral::Block read(const format::ReadOptions& options = {}) const {
    return reader(options).read({0, 0, 4, 3});
  }

  void expect_refused(const std::string& message) const {
    HYPERDEFECT_EXPECT_ERROR(read(), InputError, message);
  }

  test::TempDir folder_;
};

/// (4 bands, 4 rows, 3 cols): the reflectance of the cube, in double.
torch::Tensor expected(bool with_dark = true) {
  auto values = torch::empty({4, 4, 3}, torch::kDouble);
  for (int b = 0; b < 4; ++b) {
    for (int r = 0; r < 4; ++r) {
      for (int c = 0; c < 3; ++c) {
        const double white = 1101 + 10 * b + c;
        const double dark = with_dark ? 101 + b + 5 * c : 0;
        values[b][r][c] = (200 + 100 * b + 10 * r + c - dark) / (white - dark);
      }
    }
  }
  return values;
}

bool is_near(const torch::Tensor& values, const torch::Tensor& expected) {
  return torch::allclose(values.to(torch::kDouble), expected, 1e-6, 1e-6);
}

TEST_F(ReferencesTest, GiveReflectanceAveragedOverTheirLines) {
  const auto block = read();
  EXPECT_TRUE(is_near(block.values, expected()));
  EXPECT_TRUE(block.valid.all().item<bool>());
}

TEST_F(ReferencesTest, GiveTheSameInEveryWindow) {
  auto cube = reader();
  for (const Window& window : {Window{1, 1, 2, 2}, Window{3, 2, 1, 1}, Window{0, 0, 1, 3}}) {
    EXPECT_TRUE(is_near(cube.read(window).values, image::crop(expected(), window)));
  }
}

TEST_F(ReferencesTest, TakeZeroForAMissingDarkReference) {
  EXPECT_TRUE(is_near(reader({}, false).read({0, 0, 4, 3}).values, expected(false)));
}

TEST_F(ReferencesTest, ReplaceTheScaleOfTheFile) {
  RawCube scaled;
  scaled.more = "data gain values = {2, 2, 2, 2}\ndata offset values = {5, 5, 5, 5}\n";
  write(
      "scan", 4, [](auto b, auto r, auto c) { return 200 + 100 * b + 10 * r + c; }, scaled);
  EXPECT_TRUE(is_near(read().values, expected()));
}

TEST_F(ReferencesTest, InterpolateADeadElementWhateverTheCubeHoldsThere) {
  // Band 1 of column 2: white is not above dark, and the cube is saturated there.
  write("white", 2, [](auto b, auto r, auto c) { return b == 1 && c == 2 ? 50 : white(b, r, c); });
  write("scan", 4,
        [](auto b, auto r, auto c) { return b == 1 && c == 2 ? 65535 : 200 + 100 * b + 10 * r + c; });
  format::ReadOptions options;
  options.saturation = 60000;
  auto with_dead = expected();
  with_dead[1].select(1, 2).copy_((with_dead[0].select(1, 2) + with_dead[2].select(1, 2)) / 2);
  const auto block = read(options);
  EXPECT_TRUE(is_near(block.values, with_dead));
  EXPECT_TRUE(block.valid.all().item<bool>());
}

TEST_F(ReferencesTest, TakeASaturatedElementForDead) {
  const auto dead_elements = [&](std::int64_t level, const format::ReadOptions& options = {}) {
    write("white", 2,
          [level](auto b, auto r, auto c) { return b == 1 && c == 2 && r == 0 ? level : white(b, r, c); });
    return read_references({info_of(file("white")), info_of(file("dark"))}, info_of(file("scan")), options)
        .dead_elements();
  };
  format::ReadOptions options;
  options.saturation = 4095;
  EXPECT_EQ(dead_elements(65535), 1);
  EXPECT_EQ(dead_elements(4095), 0);
  EXPECT_EQ(dead_elements(4095, options), 1);
}

TEST_F(ReferencesTest, KnowACubeThatSeemsToHoldReflectanceAlready) {
  format::CubeInfo counts;
  counts.data_type = "uint16";
  auto fractions = counts;
  fractions.data_type = "float32";
  auto scaled = counts;
  scaled.scale = {1e-4};
  EXPECT_TRUE(seems_converted(fractions, counts));
  EXPECT_TRUE(seems_converted(scaled, counts));
  EXPECT_FALSE(seems_converted(counts, counts));
  EXPECT_FALSE(seems_converted(fractions, fractions));
  EXPECT_FALSE(seems_converted(scaled, scaled));
  EXPECT_FALSE(seems_converted(counts, fractions));
}

TEST_F(ReferencesTest, LeaveNoValidPixelInAColumnThatIsDeadInAllBands) {
  write("white", 2, [](auto b, auto r, auto c) { return c == 1 ? 0 : white(b, r, c); });
  auto cube = reader();
  const auto valid = cube.read({0, 0, 4, 3}).valid;
  EXPECT_FALSE(valid.select(1, 1).any().item<bool>());
  EXPECT_EQ(valid.sum().item<int>(), 8);
  EXPECT_EQ(cube.pixel_states()[0][1].item<int>(), static_cast<int>(format::PixelState::not_finite));
}

TEST_F(ReferencesTest, DoNotInterpolateFromBandsThatAreNotUsed) {
  write("white", 2, [](auto b, auto r, auto c) { return b == 1 && c == 0 ? 0 : white(b, r, c); });
  auto cube = reader();
  cube.use_bands({true, true, false, true});
  const auto values = cube.read({0, 0, 4, 3}).values.to(torch::kDouble);
  const auto all = expected();
  EXPECT_TRUE(is_near(values[1].select(1, 0), all[0].select(1, 0) * 2 / 3 + all[3].select(1, 0) / 3));
}

TEST_F(ReferencesTest, StillFindPixelsWithoutData) {
  write("scan", 4, [](auto b, auto r, auto c) { return r == 2 ? 0 : 200 + 100 * b + c; });
  EXPECT_EQ(read().valid.sum().item<int>(), 9);
}

TEST_F(ReferencesTest, CountZeroAsADarkSignalEvenIfItMarksMissingPixels) {
  write("dark", 3, [](auto, auto, auto) { return 0; });
  format::ReadOptions options;
  options.no_data = {0};
  EXPECT_TRUE(is_near(read(options).values, expected(false)));
}

TEST_F(ReferencesTest, AreRefusedIfTheyDoNotFitTheCube) {
  RawCube narrow;
  narrow.cols = 2;
  write("white", 2, white, narrow);
  expect_refused("white.img: cannot be the white reference of " + file("scan").string() +
                 ": it has 2 columns, and the cube has 3; name another one with data.white, or set "
                 "data.references=none to keep the values of the file");
  write("white", 2, white);
  RawCube few;
  few.bands = 1;
  write("dark", 2, dark, few);
  expect_refused("dark.img: cannot be the dark reference of " + file("scan").string() +
                 ": it has 1 band, and the cube has 4");
}

TEST_F(ReferencesTest, AreRefusedIfTheirWavelengthsAreOthers) {
  RawCube near;
  near.more = "wavelength units = nm\nwavelength = {500, 510.04, 520, 530}\n";
  write("scan", 4, white, near);
  RawCube other;
  other.more = "wavelength units = nm\nwavelength = {500, 510, 520, 530.1}\n";
  write("white", 2, white, other);
  EXPECT_NO_THROW(read());
  other.more = "wavelength units = nm\nwavelength = {510, 520, 530, 540}\n";
  write("white", 2, white, other);
  expect_refused("its band 0 (counted from 0) is at 510 nm, and that of the cube is at 500 nm");
}

TEST_F(ReferencesTest, AreRefusedIfMostElementsAreOfNoUse) {
  write("white", 2, dark);
  write("dark", 3, white);
  expect_refused(
      "white.img: the white reference is darker than the dark reference in 12 of 12 detector "
      "elements (" +
      file("dark").string() + "): are the two files interchanged?");
  write("dark", 3, dark);
  write("white", 2, [](auto, auto, auto) { return 65535; });
  expect_refused(
      "white.img: in 12 of 12 detector elements the white reference is saturated, is not finite "
      "or is not above the dark signal");
}

/// The raw counts of a real scan of 31 lines, 580 bands and 43 columns, uint16 BIL, as (lines, bands, cols).
torch::Tensor real_counts(const std::string& name) {
  constexpr std::int64_t kLines = 31, kBands = 580, kCols = 43;
  std::vector<std::int16_t> bytes(kLines * kBands * kCols);
  std::ifstream(test::data_dir() / "calibration" / name, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size() * sizeof(std::int16_t)));
  return torch::tensor(bytes, torch::kInt)
      .bitwise_and(0xffff)
      .view({kLines, kBands, kCols})
      .to(torch::kDouble);
}

TEST(RealReferences, GiveTheFormulaOnTheBytesOfAScan) {
  HYPERDEFECT_NEEDS_DATA();
  const auto folder = test::data_dir() / "calibration";
  const auto info = info_of(folder / "corn_kernel.raw");
  const auto converter = read_references(
      {info_of(folder / "corn_kernel_WHITEREF.raw"), info_of(folder / "corn_kernel_DARKREF.raw")}, info);
  const auto dead = converter.dead_elements();
  CubeReader reader(info);
  reader.convert_to_reflectance(converter);
  const auto values = reader.read(whole(info.size())).values.to(torch::kDouble);
  const auto white = real_counts("corn_kernel_WHITEREF.raw").mean(0);
  const auto dark = real_counts("corn_kernel_DARKREF.raw").mean(0);
  const auto reflectance =
      ((real_counts("corn_kernel.raw") - dark) / (white - dark)).permute({1, 0, 2}).contiguous();
  const auto alive = white.gt(dark).unsqueeze(1).expand_as(reflectance);
  EXPECT_EQ(dead, white.le(dark).sum().item<std::int64_t>());
  const auto error = (values - reflectance).abs() / reflectance.abs().clamp_min(1);
  EXPECT_LT(error.masked_select(alive).max().item<double>(), 1e-6);
  EXPECT_TRUE(values.isfinite().all().item<bool>());
}

TEST(RealReferences, OfALineCameraOpenThoughTheirWidthsAreTooFew) {
  HYPERDEFECT_NEEDS_DATA();
  const auto folder = test::data_dir() / "formats";
  const auto info = info_of(folder / "W.raw");
  EXPECT_TRUE(info.bands.fwhm_nm.empty());
  CubeReader reader(info);
  const auto converter = read_references({info, info_of(folder / "D.raw")}, info);
  EXPECT_LT(converter.dead_elements(), converter.elements() / 100);
  reader.convert_to_reflectance(converter);
  const auto values = reader.read(whole(info.size())).values;
  EXPECT_TRUE(torch::allclose(values, torch::ones_like(values)));
}

}  // namespace
}  // namespace hyperdefect::io
