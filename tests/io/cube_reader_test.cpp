// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "hyperdefect/core/error.h"
#include "support/envi_files.h"
#include "support/expect_error.h"
#include "support/tiff_files.h"

namespace hyperdefect::io {
namespace {

using test::distinct_value;
using test::RawCube;
using test::TempDir;
using test::TiffCube;
using test::write_raw_cube;

spectral::Block read_whole(const std::filesystem::path& path, const format::ReadOptions& options = {}) {
  CubeReader reader(format::read_cube_info(path, options), options);
  return reader.read(whole(reader.info().size()));
}

/// (bands, rows, cols) float32 of distinct_value over a window.
torch::Tensor expected_values(std::int64_t bands, const Window& window) {
  auto values = torch::empty({bands, window.rows, window.cols});
  for (std::int64_t b = 0; b < bands; ++b) {
    for (std::int64_t r = 0; r < window.rows; ++r) {
      for (std::int64_t c = 0; c < window.cols; ++c) {
        values[b][r][c] = static_cast<float>(distinct_value(b, window.row + r, window.col + c));
      }
    }
  }
  return values;
}

template <class T>
void expect_read_back(int data_type, const std::string& data_type_name) {
  const TempDir dir;
  for (const auto* interleave : {"bsq", "bil", "bip"}) {
    for (const bool big_endian : {false, true}) {
      RawCube cube;
      cube.bands = sizeof(T) == 1 ? 2 : 4;
      cube.data_type = data_type;
      cube.interleave = interleave;
      cube.big_endian = big_endian;
      cube.offset = big_endian ? 13 : 0;
      write_raw_cube<T>(dir / "scan.img", cube, distinct_value);
      const auto info = format::read_cube_info(dir / "scan.img");
      const auto block = read_whole(dir / "scan.img");
      EXPECT_EQ(info.data_type, data_type_name);
      EXPECT_EQ(format::to_string(info.interleave), interleave);
      EXPECT_TRUE(block.values.equal(expected_values(cube.bands, {0, 0, 2, 3})))
          << data_type_name << ' ' << interleave << " big-endian " << big_endian;
      EXPECT_TRUE(block.valid.all().item<bool>());
    }
  }
}

TEST(CubeReader, ReadsEveryRealTypeInEveryOrder) {
  expect_read_back<std::uint8_t>(1, "uint8");
  expect_read_back<std::int16_t>(2, "int16");
  expect_read_back<std::int32_t>(3, "int32");
  expect_read_back<float>(4, "float32");
  expect_read_back<double>(5, "float64");
  expect_read_back<std::uint16_t>(12, "uint16");
  expect_read_back<std::uint32_t>(13, "uint32");
}

TEST(CubeReader, ReadsWindowsThatKnowWhereTheyLie) {
  const TempDir dir;
  RawCube cube;
  cube.rows = 7;
  cube.cols = 5;
  const Window window{2, 1, 4, 3};
  for (const auto* interleave : {"bsq", "bil", "bip"}) {
    cube.interleave = interleave;
    write_raw_cube<std::uint16_t>(dir / "scan.img", cube, distinct_value);
    CubeReader reader(format::read_cube_info(dir / "scan.img"));
    const auto block = reader.read(window);
    EXPECT_TRUE(block.values.equal(expected_values(4, window))) << interleave;
    EXPECT_EQ(block.valid.sizes(), (std::vector<std::int64_t>{4, 3}));
    EXPECT_EQ(block.window, window);
    EXPECT_EQ(block.image, (Size{7, 5}));
  }
}

TEST(CubeReader, RefusesWindowsOutsideTheImage) {
  const TempDir dir;
  write_raw_cube<std::uint16_t>(dir / "scan.img", RawCube(), distinct_value);
  CubeReader reader(format::read_cube_info(dir / "scan.img"));
  EXPECT_THROW(reader.read({1, 0, 2, 3}), c10::Error);
  EXPECT_THROW(reader.read({0, 0, 0, 3}), c10::Error);
}

TEST(CubeReader, ReadsTiffsOfEveryLayout) {
  const TempDir dir;
  const std::vector<std::vector<std::string>> layouts{
      {"INTERLEAVE=PIXEL"},
      {"INTERLEAVE=BAND"},
      {"INTERLEAVE=PIXEL", "TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16"},
      {"INTERLEAVE=BAND", "TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "COMPRESS=DEFLATE", "PREDICTOR=2"},
      {"INTERLEAVE=PIXEL", "COMPRESS=LZW", "ENDIANNESS=BIG"},
      {"BIGTIFF=YES", "COMPRESS=DEFLATE"}};
  for (const auto& options : layouts) {
    TiffCube cube;
    cube.options = options;
    test::write_tiff_cube(dir / "scan.tif", cube,
                          [](int b, int r, int c) { return static_cast<double>(distinct_value(b, r, c)); });
    CubeReader reader(format::read_cube_info(dir / "scan.tif"));
    const Window window{3, 2, 15, 16};
    EXPECT_TRUE(reader.read(window).values.equal(expected_values(3, window)))
        << options.front() << options.back();
  }
}

/// A cube of 1 x pixels x 2 float32 whose pixels have these two values.
spectral::Block read_pixels(const std::vector<std::array<float, 2>>& pixels, const std::string& more,
                            const format::ReadOptions& options = {}) {
  const TempDir dir;
  RawCube cube;
  cube.rows = 1;
  cube.cols = static_cast<std::int64_t>(pixels.size());
  cube.bands = 2;
  cube.data_type = 4;
  cube.more = more;
  write_raw_cube<float>(dir / "scan.img", cube, [&](std::int64_t b, std::int64_t, std::int64_t c) {
    return pixels[static_cast<std::size_t>(c)][static_cast<std::size_t>(b)];
  });
  return read_whole(dir / "scan.img", options);
}

std::vector<bool> validity(const spectral::Block& block) {
  std::vector<bool> flags;
  for (std::int64_t i = 0; i < block.valid.numel(); ++i) {
    flags.push_back(block.valid.flatten()[i].item<bool>());
  }
  return flags;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(CubeReader, JudgesPixelsByTheirRawValues) {
  const std::vector<std::array<float, 2>> pixels{{1, 2}, {-9, 2}, {1, kNan}, {kInf, 1},
                                                 {0, 0}, {0, 3},  {1, 90}};
  EXPECT_EQ(validity(read_pixels(pixels, "data ignore value = -9\n")),
            (std::vector<bool>{true, false, false, false, false, true, true}));
  format::ReadOptions options;
  options.no_data = {2};
  options.zero_is_invalid = false;
  options.saturation = 90;
  EXPECT_EQ(validity(read_pixels(pixels, "data ignore value = -9\n", options)),
            (std::vector<bool>{false, false, false, false, true, true, false}));
}

TEST(CubeReader, MatchesNoDataThatFloatsCannotHoldExactly) {
  EXPECT_EQ(
      validity(read_pixels({{-3.4028235e38F, 1}, {0.1F, 1}}, "data ignore value = -3.40282346638529e+38\n")),
      (std::vector<bool>{false, true}));
  EXPECT_EQ(validity(read_pixels({{0.1F, 1}, {0.2F, 1}}, "data ignore value = 0.1\n")),
            (std::vector<bool>{false, true}));
}

TEST(CubeReader, LetsBadBandsCostNoPixel) {
  const auto block = read_pixels({{kNan, 2}, {-9, 3}, {5, 0}}, "data ignore value = -9\nbbl = {0, 1}\n");
  EXPECT_EQ(validity(block), (std::vector<bool>{true, true, false}));
  EXPECT_TRUE(block.values.flatten(1).equal(torch::tensor({{0.0F, -9.0F, 5.0F}, {2.0F, 3.0F, 0.0F}})));
}

TEST(CubeReader, AppliesGainsAfterJudging) {
  const std::string more =
      "data gain values = {2, 0.5}\ndata offset values = {-2, 1}\ndata ignore value = 1\n";
  const auto block = read_pixels({{3, 4}, {1, 4}}, more);
  EXPECT_EQ(validity(block), (std::vector<bool>{true, false}));
  EXPECT_EQ(block.values[0][0][0].item<float>(), 4);
  EXPECT_EQ(block.values[1][0][0].item<float>(), 3);
  format::ReadOptions raw;
  raw.apply_scale = false;
  EXPECT_EQ(read_pixels({{3, 4}, {1, 4}}, more, raw).values[0][0][0].item<float>(), 3);
}

TEST(CubeReader, DividesByTheReflectanceScaleFactor) {
  const auto block = read_pixels({{2500, 5000}}, "reflectance scale factor = 10000\n");
  EXPECT_EQ(block.values[0][0][0].item<float>(), 0.25F);
  EXPECT_EQ(block.values[1][0][0].item<float>(), 0.5F);
}

TEST(CubeReader, NoticesACubeThatChangedOrWent) {
  const TempDir dir;
  RawCube cube;
  write_raw_cube<std::uint16_t>(dir / "scan.img", cube, distinct_value);
  const auto info = format::read_cube_info(dir / "scan.img");
  cube.rows = 1;
  write_raw_cube<std::uint16_t>(dir / "scan.img", cube, distinct_value);
  HYPERDEFECT_EXPECT_ERROR(
      CubeReader(info), InputError,
      "scan.img: has changed since it was checked: now 24 bytes, but its header described 48");
  std::filesystem::remove(dir / "scan.img");
  testing::internal::CaptureStderr();
  HYPERDEFECT_EXPECT_ERROR(CubeReader(info), InputError, "scan.img: cannot be read: ");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(CubeReader, ReportsBlocksThatCannotBeDecoded) {
  const TempDir dir;
  TiffCube cube;
  cube.options = {"COMPRESS=DEFLATE"};
  test::write_tiff_cube(dir / "scan.tif", cube, [](int b, int r, int c) { return b * r + c; });
  auto bytes = test::read_bytes(dir / "scan.tif");
  auto* dataset = static_cast<GDALDataset*>(GDALOpen((dir / "scan.tif").c_str(), GA_ReadOnly));
  const auto offset = std::stoul(dataset->GetRasterBand(1)->GetMetadataItem("BLOCK_OFFSET_0_0", "TIFF"));
  GDALClose(dataset);
  bytes.replace(offset, 16, 16, '\x55');
  test::write_bytes(dir / "broken.tif", bytes);
  testing::internal::CaptureStderr();
  HYPERDEFECT_EXPECT_ERROR(read_whole(dir / "broken.tif"), InputError,
                           "broken.tif: reading rows 0 to 19 failed: ");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(CubeReader, ReadsByADriverThatTheUserNames) {
  const TempDir dir;
  test::write_tiff_cube(dir / "other.tif", {}, distinct_value);
  test::write_bytes(dir / "scan.tif",
                    "<VRTDataset rasterXSize=\"18\" rasterYSize=\"20\"><VRTRasterBand dataType=\"UInt16\" "
                    "band=\"1\"><SimpleSource><SourceFilename relativeToVRT=\"1\">other.tif</SourceFilename>"
                    "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>");
  format::ReadOptions options;
  options.drivers = {"vrt"};
  EXPECT_TRUE(read_whole(dir / "scan.tif", options).values.equal(expected_values(1, {0, 0, 20, 18})));
}

}  // namespace
}  // namespace hyperdefect::io
