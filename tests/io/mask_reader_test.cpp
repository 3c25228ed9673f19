// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/mask_reader.h"

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "hyperdefect/core/error.h"
#include "hyperdefect/io/map_reader.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"
#include "support/tiff_files.h"

namespace hyperdefect::io {
namespace {

using test::TempDir;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A mask of one row: its values, its no-data value, and which pixels are defects.
struct MaskCase {
  const char* format;
  GDALDataType type;
  std::optional<double> no_data;
  std::array<double, 3> values;
  std::array<bool, 3> defects;
};

void PrintTo(const MaskCase& c, std::ostream* out) {
  *out << c.format << ' ' << GDALGetDataTypeName(c.type) << " no data " << c.no_data.value_or(-1) << ": "
       << c.values[0] << ' ' << c.values[1] << ' ' << c.values[2];
}

using Dataset = std::unique_ptr<GDALDataset, decltype([](GDALDataset* dataset) { GDALClose(dataset); })>;

/// An image in memory that becomes a file when it is copied.
Dataset image_in_memory(int bands, GDALDataType type, const std::array<double, 3>& values) {
  GDALAllRegister();
  Dataset image(GetGDALDriverManager()->GetDriverByName("MEM")->Create("", 3, 1, bands, type, nullptr));
  auto line = values;
  for (int band = 1; band <= bands; ++band) {
    if (image->GetRasterBand(band)->RasterIO(GF_Write, 0, 0, 3, 1, line.data(), 3, 1, GDT_Float64, 0, 0,
                                             nullptr) != CE_None) {
      throw std::runtime_error("the test's image cannot be made");
    }
  }
  return image;
}

void write_as(const char* format, const std::filesystem::path& file, GDALDataset& image) {
  const Dataset copy(GetGDALDriverManager()->GetDriverByName(format)->CreateCopy(file.c_str(), &image, FALSE,
                                                                                 nullptr, nullptr, nullptr));
  ASSERT_TRUE(copy);
}

class Mask : public ::testing::TestWithParam<MaskCase> {};

TEST_P(Mask, MarksWhatIsNotZero) {
  const auto& c = GetParam();
  const TempDir dir;
  const auto image = image_in_memory(1, c.type, c.values);
  if (c.no_data) {
    image->GetRasterBand(1)->SetNoDataValue(*c.no_data);
  }
  write_as(c.format, dir / "a_mask", *image);
  testing::internal::CaptureStderr();
  const auto mask = read_mask(dir / "a_mask");
  const auto said = testing::internal::GetCapturedStderr();
  for (std::size_t i = 0; i < c.defects.size(); ++i) {
    EXPECT_EQ(mask[0][static_cast<std::int64_t>(i)].item<bool>(), c.defects.at(i)) << i;
  }
  const bool nan = std::any_of(c.values.begin(), c.values.end(), [](double v) { return std::isnan(v); });
  EXPECT_EQ(said.find("hold NaN and count as defects") != std::string::npos, nan) << said;
  bool marks = false;
  for (const double value : c.values) {
    marks = marks || (value == c.no_data && value != 0);
  }
  EXPECT_EQ(said.find("hold its no-data value") != std::string::npos, marks) << said;
}

INSTANTIATE_TEST_SUITE_P(
    NoDataValues, Mask,
    ::testing::Values(MaskCase{"GTiff", GDT_Byte, {}, {0, 1, 255}, {false, true, true}},
                      MaskCase{"GTiff", GDT_Byte, 255, {0, 255, 255}, {false, true, true}},
                      MaskCase{"GTiff", GDT_Byte, 255, {0, 1, 255}, {false, true, true}},
                      MaskCase{"GTiff", GDT_Byte, 0, {0, 1, 0}, {false, true, false}},
                      MaskCase{"PNG", GDT_Byte, 255, {0, 255, 255}, {false, true, true}},
                      MaskCase{"PNG", GDT_Byte, 0, {0, 7, 255}, {false, true, true}},
                      MaskCase{"PNG", GDT_UInt16, 65535, {0, 65535, 1}, {false, true, true}},
                      MaskCase{"GTiff", GDT_Int16, -1, {0, -1, 5}, {false, true, true}},
                      MaskCase{"GTiff", GDT_Float32, 1, {0, 1, kNan}, {false, true, true}},
                      MaskCase{"GTiff", GDT_Float32, kNan, {kNan, 0, 0.5}, {true, false, true}},
                      MaskCase{"GTiff", GDT_Float64, -3.4e38, {1e-300, 0, 1e300}, {true, false, true}}));

/// A mask of the values 0, 1, 2 with a palette.
std::string said_of_palette(const std::vector<GDALColorEntry>& colours) {
  const TempDir dir;
  const auto image = image_in_memory(1, GDT_Byte, {0, 1, 2});
  GDALColorTable palette;
  for (std::size_t i = 0; i < colours.size(); ++i) {
    palette.SetColorEntry(static_cast<int>(i), &colours[i]);
  }
  image->GetRasterBand(1)->SetColorTable(&palette);
  write_as("PNG", dir / "a_mask.png", *image);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(read_mask(dir / "a_mask.png").equal(torch::tensor({{false, true, true}})));
  return testing::internal::GetCapturedStderr();
}

TEST(ReadMask, TakesThePalettesNumbersAndSaysWhereColoursContradict) {
  const GDALColorEntry black{0, 0, 0, 255};
  const GDALColorEntry white{255, 255, 255, 255};
  EXPECT_EQ(said_of_palette({black, white, white}), "");
  EXPECT_EQ(said_of_palette({white, white, white}), "");
  const auto said = said_of_palette({white, black, white});
  EXPECT_NE(said.find("a_mask.png: the mask has a palette whose colours do not agree with its values"),
            std::string::npos)
      << said;
}

TEST(ReadMask, TakesOpacityForNoTruth) {
  const TempDir dir;
  test::TiffCube rgba;
  rgba.bands = 4;
  rgba.rows = 1;
  rgba.cols = 3;
  rgba.type = GDT_Byte;
  rgba.options = {"PHOTOMETRIC=RGB", "ALPHA=YES"};
  test::write_tiff_cube(dir / "rgba.tif", rgba,
                        [](int band, int, int col) { return band == 3 || band == col ? 255.0 : 0.0; });
  EXPECT_TRUE(read_mask(dir / "rgba.tif").all().item<bool>());
  test::write_tiff_cube(dir / "rgba.tif", rgba, [](int band, int, int) { return band == 3 ? 255.0 : 0.0; });
  EXPECT_FALSE(read_mask(dir / "rgba.tif").any().item<bool>());
}

TEST(ReadMask, RefusesATiffOfSeveralPages) {
  const TempDir dir;
  test::TiffCube cube;
  cube.bands = 1;
  test::write_tiff_cube(dir / "a_mask.tif", cube, [](int, int, int) { return 1.0; });
  test::append_page(dir / "a_mask.tif", 1);
  const std::string message =
      "a_mask.tif: holds 2 images, one per page: write them as the bands of one image";
  HYPERDEFECT_EXPECT_ERROR(mask_size(dir / "a_mask.tif"), InputError, message);
  HYPERDEFECT_EXPECT_ERROR(read_mask(dir / "a_mask.tif"), InputError, message);
  HYPERDEFECT_EXPECT_ERROR(read_map(dir / "a_mask.tif"), InputError, message);
}

TEST(ReadMask, RefusesACube) {
  const TempDir dir;
  test::TiffCube cube;
  cube.bands = 65;
  test::write_tiff_cube(dir / "a_mask.tif", cube, [](int, int, int) { return 1.0; });
  HYPERDEFECT_EXPECT_ERROR(read_mask(dir / "a_mask.tif"), InputError,
                           "a_mask.tif: a mask has at most 64 bands, but this file has 65");
}

TEST(ReadMask, ReadsEveryRowOfALargeMask) {
  const TempDir dir;
  test::TiffCube tiled;
  tiled.rows = 1500;
  tiled.cols = 700;
  tiled.bands = 2;
  tiled.type = GDT_Byte;
  tiled.options = {"TILED=YES", "COMPRESS=DEFLATE"};
  const auto defect = [](int band, int row, int col) {
    return row % 97 == 5 && col % (band + 3) == 0 ? 200.0 : 0.0;
  };
  test::write_tiff_cube(dir / "a_mask.tif", tiled, defect);
  const auto mask = read_mask(dir / "a_mask.tif");
  const auto rows = torch::arange(1500).remainder(97).eq(5).unsqueeze(1);
  const auto cols = torch::arange(700);
  const auto marked = cols.remainder(3).eq(0).logical_or(cols.remainder(4).eq(0)).unsqueeze(0);
  EXPECT_TRUE(mask.equal(rows.logical_and(marked)));
}

/// The first bytes of a PNG that says it has 24000 x 24000 pixels and holds none.
std::string promising_png() {
  using namespace std::string_literals;
  return "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x5d\xc0\0\0\x5d\xc0\x01\0\0\0\0"s + "\x8b\x8f\x49\xfe"s +
         "\0\0\0\0IDAT\x35\xaf\x06\x1e"s;
}

/// Its missing blocks would read as normal pixels, and one large block as gigabytes of them.
TEST(ReadMask, RefusesATiffOfWhichABlockIsMissing) {
  const TempDir dir;
  test::TiffCube mask;
  mask.bands = 1;
  mask.type = GDT_Byte;
  mask.last_row = 10;
  mask.options = {"SPARSE_OK=TRUE", "BLOCKYSIZE=5"};
  test::write_tiff_cube(dir / "scan_mask.tif", mask, [](int, int, int) { return 1.0; });
  HYPERDEFECT_EXPECT_ERROR(
      read_mask(dir / "scan_mask.tif"), InputError,
      "scan_mask.tif: block (0, 2) of band 1 is missing; the file is incomplete (or sparse)");
  mask.options = {"SPARSE_OK=TRUE", "TILED=YES", "BLOCKXSIZE=40000", "BLOCKYSIZE=40000"};
  mask.last_row = 0;
  test::write_tiff_cube(dir / "large_mask.tif", mask, [](int, int, int) { return 1.0; });
  HYPERDEFECT_EXPECT_ERROR(read_mask(dir / "large_mask.tif"), InputError,
                           "block (0, 0) of band 1 is missing");
  HYPERDEFECT_EXPECT_ERROR(read_map(dir / "large_mask.tif"), InputError, "block (0, 0) of band 1 is missing");
}

TEST(ExpectedSize, IsComparedBeforeAnyPixelIsRead) {
  const TempDir dir;
  test::write_bytes(dir / "a_mask.png", promising_png());
  EXPECT_EQ(mask_size(dir / "a_mask.png"), (Size{24000, 24000}));
  const ExpectedSize expected{{2, 3}, "its cube a.img"};
  const std::string message =
      "a_mask.png has 24000 x 24000 pixels (rows x cols), but its cube a.img has 2 x 3: give the mask of "
      "this cube";
  HYPERDEFECT_EXPECT_ERROR(read_mask(dir / "a_mask.png", expected), InputError, message);
  HYPERDEFECT_EXPECT_ERROR(read_map(dir / "a_mask.png", expected), InputError, message);
}

TEST(ReadMask, NamesAFileThatIsNone) {
  const TempDir dir;
  test::write_bytes(dir / "a_mask.png", "no picture");
  for (const auto* name : {"a_mask.png", "no.png"}) {
    const auto message = std::string(name) + ": the mask cannot be read: ";
    HYPERDEFECT_EXPECT_ERROR(read_mask(dir / name), InputError, message);
    HYPERDEFECT_EXPECT_ERROR(mask_size(dir / name), InputError, message);
  }
}

}  // namespace
}  // namespace hyperdefect::io
