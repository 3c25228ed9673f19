// SPDX-License-Identifier: Apache-2.0
#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/cube_reader.h"
#include "support/envi_files.h"
#include "support/expect_error.h"
#include "support/tiff_files.h"

namespace hyperdefect::io {
namespace {

using test::RawCube;
using test::TempDir;
using test::TiffCube;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kMaxFloat = std::numeric_limits<float>::max();
constexpr double kMaxDouble = std::numeric_limits<double>::max();

/// A pixel of one type beside a stated no-data value.
struct Case {
  const char* type;
  /// As a header states it; "" states none.
  const char* no_data;
  double pixel;
  format::PixelState state;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.type << ", no data '" << c.no_data << "', pixel " << c.pixel;
}

constexpr auto kValid = format::PixelState::valid;
constexpr auto kNoData = format::PixelState::no_data;
constexpr auto kNotFinite = format::PixelState::not_finite;

const std::vector<Case> kCases{
    // Integers match exactly, as large as they may be.
    {"uint8", "255", 255, kNoData},
    {"uint8", "255", 254, kValid},
    {"uint8", "-1", 255, kValid},
    {"uint8", "12.5", 12, kValid},
    {"uint8", "12.5", 13, kValid},
    {"uint8", "nan", 1, kValid},
    {"uint16", "65535", 65535, kNoData},
    {"uint16", "65535", 65534, kValid},
    {"uint16", "-9999", 55537, kValid},
    {"uint16", "65535.5", 65535, kValid},
    {"int16", "-32768", -32768, kNoData},
    {"int16", "-32768", -32767, kValid},
    {"int16", "32768", -32768, kValid},
    {"int32", "2147483647", 2147483647, kNoData},
    {"int32", "2147483647", 2147483646, kValid},
    {"int32", "2147483647", 2147483520, kValid},
    {"int32", "-2147483648", -2147483648.0, kNoData},
    {"int32", "-2147483648", -2147483647, kValid},
    {"int32", "16777217", 16777217, kNoData},
    {"int32", "16777217", 16777216, kValid},
    {"int32", "16777217", 16777218, kValid},
    {"int32", "2147483648", -2147483648.0, kValid},
    {"uint32", "4294967295", 4294967295.0, kNoData},
    {"uint32", "4294967295", 4294967294.0, kValid},
    {"uint32", "16777217", 16777216, kValid},
    {"uint32", "4294967296", 4294967295.0, kValid},
    {"uint32", "-1", 4294967295.0, kValid},
    // float32 as the type holds it, huge marks also in short.
    {"float32", "-9999", -9999, kNoData},
    {"float32", "-9999", -9998.999, kValid},
    {"float32", "0.1", 0.1, kNoData},
    {"float32", "0.1", 0.1001, kValid},
    {"float32", "16777216", 16777218, kValid},
    {"float32", "1.234567e-05", 1.2345674e-05, kNoData},
    {"float32", "-3.4e+38", -kMaxFloat, kNoData},
    {"float32", "-3.4e+38", -3.4e38, kNoData},
    {"float32", "-3.4e+38", kMaxFloat, kValid},
    {"float32", "-3.4e+38", -3e38, kValid},
    {"float32", "-3.4e+38", -kInf, kNotFinite},
    {"float32", "-3.403e+38", -kMaxFloat, kNoData},
    {"float32", "-3.4028235e+38", -kMaxFloat, kNoData},
    {"float32", "-3.4028234663852886e+38", -kMaxFloat, kNoData},
    {"float32", "-3.40282346638529e+38", -3.4028235e38, kNoData},
    {"float32", "3.4e+38", kMaxFloat, kNoData},
    {"float32", "3.4e+38", -kMaxFloat, kValid},
    {"float32", "1.70141e+38", 1.70141173e38, kNoData},
    {"float32", "-1.7976931348623157e+308", -kMaxFloat, kNoData},
    {"float32", "-1.7976931348623157e+308", -kInf, kNoData},
    {"float32", "-1.7976931348623157e+308", kInf, kNotFinite},
    {"float32", "nan", kNan, kNoData},
    {"float32", "nan", kInf, kNotFinite},
    {"float32", "nan", 5, kValid},
    {"float32", "inf", kInf, kNoData},
    {"float32", "", kNan, kNotFinite},
    {"float32", "", -kInf, kNotFinite},
    {"float32", "", -kMaxFloat, kValid},
    // float64, also what float32 cannot hold.
    {"float64", "0.1", 0.1, kNoData},
    {"float64", "0.1", 0.1000001, kValid},
    {"float64", "16777217", 16777217, kNoData},
    {"float64", "16777217", 16777216, kValid},
    {"float64", "-1.7976931348623157e+308", -kMaxDouble, kNoData},
    {"float64", "-1.79e+308", -kMaxDouble, kNoData},
    {"float64", "-1.8e+308", -kMaxDouble, kNoData},
    {"float64", "-1.79e+308", kMaxDouble, kNotFinite},
    {"float64", "1e300", 1e300, kNoData},
    {"float64", "-9999", 1e300, kNotFinite},
    {"float64", "", 1e300, kNotFinite},
    {"float64", "", -kMaxDouble, kNotFinite},
    {"float64", "-3.4e+38", -kMaxFloat, kNoData},
    {"float64", "nan", kNan, kNoData},
    {"float64", "", kNan, kNotFinite},
};

class NoData : public ::testing::TestWithParam<Case> {
 protected:
  static format::PixelState state_in(const std::filesystem::path& file,
                                     const format::ReadOptions& options = {}) {
    CubeReader reader(format::read_cube_info(file, options), options);
    const auto block = reader.read(whole(reader.info().size()));
    EXPECT_EQ(block.valid[0][0].item<bool>(), reader.pixel_states()[0][0].item<std::uint8_t>() == 0);
    EXPECT_TRUE(block.valid[0][1].item<bool>());
    return static_cast<format::PixelState>(reader.pixel_states()[0][0].item<std::uint8_t>());
  }

  template <class T>
  void write_as(int data_type, const std::filesystem::path& file, const Case& c) {
    RawCube cube;
    cube.rows = 1;
    cube.cols = 2;
    cube.bands = 2;
    cube.data_type = data_type;
    cube.more = *c.no_data == 0 ? "" : "data ignore value = " + std::string(c.no_data) + "\n";
    test::write_raw_cube<T>(file, cube, [&](std::int64_t band, std::int64_t, std::int64_t col) {
      return band == 1 && col == 0 ? c.pixel : 7.0;
    });
  }

  void write_envi(const Case& c) {
    const std::string type = c.type;
    const auto file = dir_ / "scan.img";
    type == "uint8"     ? write_as<std::uint8_t>(1, file, c)
    : type == "int16"   ? write_as<std::int16_t>(2, file, c)
    : type == "int32"   ? write_as<std::int32_t>(3, file, c)
    : type == "float32" ? write_as<float>(4, file, c)
    : type == "float64" ? write_as<double>(5, file, c)
    : type == "uint16"  ? write_as<std::uint16_t>(12, file, c)
                        : write_as<std::uint32_t>(13, file, c);
  }

  void write_tiff(const Case& c) {
    const std::string type = c.type;
    TiffCube cube;
    cube.rows = 1;
    cube.cols = 2;
    cube.bands = 2;
    cube.type = type == "uint8"     ? GDT_Byte
                : type == "int16"   ? GDT_Int16
                : type == "int32"   ? GDT_Int32
                : type == "float32" ? GDT_Float32
                : type == "float64" ? GDT_Float64
                : type == "uint16"  ? GDT_UInt16
                                    : GDT_UInt32;
    cube.describe = [&](GDALDataset& dataset) {
      if (*c.no_data != 0) {
        dataset.GetRasterBand(1)->SetNoDataValue(CPLAtofM(c.no_data));
      }
    };
    test::write_tiff_cube(dir_ / "scan.tif", cube, [&](int band, int, int col) {
      return band != 1 || col != 0 ? 7.0 : type == "float32" ? static_cast<float>(c.pixel) : c.pixel;
    });
  }

  TempDir dir_;
};

TEST_P(NoData, IsFoundInEnvi) {
  write_envi(GetParam());
  EXPECT_EQ(state_in(dir_ / "scan.img"), GetParam().state);
}

TEST_P(NoData, IsFoundInTiff) {
  write_tiff(GetParam());
  EXPECT_EQ(state_in(dir_ / "scan.tif"), GetParam().state);
}

TEST_P(NoData, IsFoundIfTheUserStatesIt) {
  auto unstated = GetParam();
  unstated.no_data = "7.25";
  write_envi(unstated);
  format::ReadOptions options;
  if (*GetParam().no_data != 0) {
    options.no_data = {-77, CPLAtofM(GetParam().no_data)};
  }
  EXPECT_EQ(state_in(dir_ / "scan.img", options), GetParam().state);
}

INSTANTIATE_TEST_SUITE_P(Types, NoData, ::testing::ValuesIn(kCases));

TEST(NoDataPerBand, IsComparedBandByBand) {
  const TempDir dir;
  TiffCube cube;
  cube.rows = 1;
  cube.cols = 4;
  cube.bands = 2;
  test::write_tiff_cube(dir / "scan.tif", cube, [](int, int, int col) { return col + 1; });
  // GDAL keeps beside a TIFF what a TIFF cannot hold.
  test::write_bytes(dir / "scan.tif.aux.xml", R"(<PAMDataset>
<PAMRasterBand band="1"><NoDataValue>1</NoDataValue></PAMRasterBand>
<PAMRasterBand band="2"><NoDataValue>2</NoDataValue></PAMRasterBand></PAMDataset>)");
  const auto info = format::read_cube_info(dir / "scan.tif");
  EXPECT_FALSE(info.no_data.has_value());
  EXPECT_EQ(info.band_no_data, (std::vector<std::optional<double>>{1, 2}));
  CubeReader reader(info);
  EXPECT_TRUE(reader.read({0, 0, 1, 4}).valid.equal(torch::tensor({{false, false, true, true}})));
  reader.use_bands({false, true});
  EXPECT_TRUE(reader.read({0, 0, 1, 4}).valid.equal(torch::tensor({{true, false, true, true}})));
}

TEST(Scale, ThatOverflowsLeavesNoValidPixel) {
  const TempDir dir;
  RawCube cube;
  cube.rows = 1;
  cube.cols = 2;
  cube.bands = 1;
  cube.data_type = 4;
  cube.more = "data gain values = {1e30}\n";
  test::write_raw_cube<float>(dir / "scan.img", cube, [](std::int64_t, std::int64_t, std::int64_t col) {
    return col == 0 ? 1e20 : 2;
  });
  CubeReader reader(format::read_cube_info(dir / "scan.img"));
  EXPECT_TRUE(reader.read({0, 0, 1, 2}).valid.equal(torch::tensor({{false, true}})));
  EXPECT_EQ(reader.pixel_states()[0][0].item<std::uint8_t>(), static_cast<std::uint8_t>(kNotFinite));
}

/// A TIFF of 1 row, 4 columns and 3 bands with the values 1 to 4 in each row.
TiffCube four_pixels() {
  TiffCube cube;
  cube.rows = 1;
  cube.cols = 4;
  return cube;
}

double column(int, int, int col) {
  return col + 1;
}

torch::Tensor validity(const std::filesystem::path& file, const std::vector<bool>& used = {}) {
  CubeReader reader(format::read_cube_info(file));
  if (!used.empty()) {
    reader.use_bands(used);
  }
  return reader.read(whole(reader.info().size())).valid;
}

/// Adds a mask to a TIFF that hides pixel 1 in all bands.
void add_mask(const std::filesystem::path& file, bool inside) {
  CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", inside ? "YES" : "NO");
  auto* dataset = static_cast<GDALDataset*>(GDALOpen(file.c_str(), GA_Update));
  ASSERT_EQ(dataset->CreateMaskBand(GMF_PER_DATASET), CE_None);
  std::array<std::uint8_t, 4> mask{255, 0, 255, 255};
  ASSERT_EQ(dataset->GetRasterBand(1)->GetMaskBand()->RasterIO(GF_Write, 0, 0, 4, 1, mask.data(), 4, 1,
                                                               GDT_Byte, 0, 0, nullptr),
            CE_None);
  GDALClose(dataset);
  CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", nullptr);
}

/// A mask beside the file that hides pixel `band` in each band.
void add_mask_of_bands(const std::filesystem::path& file) {
  auto mask = four_pixels();
  mask.type = GDT_Byte;
  mask.describe = [](GDALDataset& dataset) {
    for (int band = 1; band <= 3; ++band) {
      dataset.SetMetadataItem(("INTERNAL_MASK_FLAGS_" + std::to_string(band)).c_str(), "0");
    }
  };
  const auto written = file.parent_path() / "mask.tif";
  test::write_tiff_cube(written, mask, [](int band, int, int col) { return col == band ? 0 : 255; });
  std::filesystem::rename(written, file.string() + ".msk");
}

TEST(FileMask, HidesPixelsOfAllBands) {
  for (const bool inside : {true, false}) {
    const TempDir dir;
    test::write_tiff_cube(dir / "scan.tif", four_pixels(), column);
    EXPECT_TRUE(validity(dir / "scan.tif").all().item<bool>());
    add_mask(dir / "scan.tif", inside);
    EXPECT_EQ(std::filesystem::exists(dir / "scan.tif.msk"), !inside);
    EXPECT_TRUE(validity(dir / "scan.tif").equal(torch::tensor({{true, false, true, true}}))) << inside;
  }
}

TEST(FileMask, HidesPixelsOfSingleBands) {
  const TempDir dir;
  test::write_tiff_cube(dir / "scan.tif", four_pixels(), column);
  add_mask_of_bands(dir / "scan.tif");
  EXPECT_TRUE(validity(dir / "scan.tif").equal(torch::tensor({{false, false, false, true}})));
  EXPECT_TRUE(
      validity(dir / "scan.tif", {true, false, true}).equal(torch::tensor({{false, true, false, true}})));
}

TEST(FileMask, BesideAnEnviFileCounts) {
  const TempDir dir;
  RawCube cube;
  cube.rows = 1;
  cube.cols = 4;
  test::write_raw_cube<std::uint16_t>(dir / "scan.img", cube, test::distinct_value);
  test::write_tiff_cube(dir / "scan.tif", four_pixels(), column);
  add_mask(dir / "scan.tif", false);
  std::filesystem::rename(dir / "scan.tif.msk", dir / "scan.img.msk");
  EXPECT_TRUE(validity(dir / "scan.img").equal(torch::tensor({{true, false, true, true}})));
}

/// As programs write it that are not GDAL: without a word on how it is meant.
TEST(FileMask, BesideAFileCountsEvenIfItIsAPlainTiff) {
  const TempDir dir;
  RawCube raw;
  raw.rows = 1;
  raw.cols = 4;
  test::write_raw_cube<std::uint16_t>(dir / "scan.img", raw, test::distinct_value);
  test::write_tiff_cube(dir / "scan.tif", four_pixels(), column);
  auto mask = four_pixels();
  mask.bands = 1;
  mask.type = GDT_Byte;
  test::write_tiff_cube(dir / "mask.tif", mask, [](int, int, int col) { return col == 2 ? 0 : 1; });
  for (const auto* cube : {"scan.img", "scan.tif"}) {
    std::filesystem::copy(dir / "mask.tif", (dir / cube).string() + ".msk");
    EXPECT_TRUE(validity(dir / cube).equal(torch::tensor({{true, true, false, true}}))) << cube;
  }
  mask.cols = 3;
  test::write_tiff_cube(dir / "mask.tif", mask, [](int, int, int) { return 1; });
  std::filesystem::rename(dir / "mask.tif", dir / "scan.img.msk");
  HYPERDEFECT_EXPECT_ERROR(CubeReader(format::read_cube_info(dir / "scan.img")), InputError,
                           "scan.img: its mask has 1 x 3 pixels (rows x cols), but the image has 1 x 4");
}

TEST(NoDataBesideTheFile, CountsForEnviUnlessTheHeaderStatesAnother) {
  const TempDir dir;
  RawCube cube;
  cube.rows = 1;
  cube.cols = 4;
  test::write_raw_cube<std::uint16_t>(dir / "scan.img", cube,
                                      [](int, int, int col) { return static_cast<std::uint16_t>(col + 3); });
  std::string noted = "<PAMDataset>";
  for (int band = 1; band <= cube.bands; ++band) {
    noted +=
        "<PAMRasterBand band=\"" + std::to_string(band) + "\"><NoDataValue>4</NoDataValue></PAMRasterBand>";
  }
  test::write_bytes(dir / "scan.img.aux.xml", noted + "</PAMDataset>");
  EXPECT_TRUE(validity(dir / "scan.img").equal(torch::tensor({{true, false, true, true}})));
  test::write_bytes(dir / "scan.hdr", cube.header() + "data ignore value = 5\n");
  EXPECT_TRUE(validity(dir / "scan.img").equal(torch::tensor({{true, true, false, true}})));
}

TEST(FileMask, CountsBesideTheNoDataValue) {
  const TempDir dir;
  auto cube = four_pixels();
  cube.describe = [](GDALDataset& dataset) { dataset.GetRasterBand(1)->SetNoDataValue(4); };
  test::write_tiff_cube(dir / "scan.tif", cube, column);
  add_mask(dir / "scan.tif", true);
  EXPECT_TRUE(validity(dir / "scan.tif").equal(torch::tensor({{true, false, true, false}})));
}

TEST(FileMask, IsRefusedIfItIsAnotherImages) {
  const TempDir dir;
  test::write_tiff_cube(dir / "scan.tif", four_pixels(), column);
  add_mask(dir / "scan.tif", false);
  // GDAL takes the mask away with the file that it replaces.
  const auto mask = test::read_bytes(dir / "scan.tif.msk");
  auto tall = four_pixels();
  tall.rows = 2;
  test::write_tiff_cube(dir / "scan.tif", tall, column);
  test::write_bytes(dir / "scan.tif.msk", mask);
  HYPERDEFECT_EXPECT_ERROR(CubeReader(format::read_cube_info(dir / "scan.tif")), InputError,
                           "scan.tif: its mask has 1 x 4 pixels (rows x cols), but the image has 2 x 4");
  test::write_bytes(dir / "scan.tif.msk", "<VRTDataset rasterXSize='4' rasterYSize='2'></VRTDataset>");
  HYPERDEFECT_EXPECT_ERROR(CubeReader(format::read_cube_info(dir / "scan.tif")), InputError,
                           "scan.tif.msk: is taken for the mask of scan.tif, but is not a TIFF");
}

/// A TIFF of bands and one alpha band, in any place and type.
struct AlphaCase {
  int bands;
  int alpha;
  GDALDataType type;
};

class Alpha : public ::testing::TestWithParam<AlphaCase> {};

TEST_P(Alpha, IsNoSpectralBandAndHidesPixels) {
  const TempDir dir;
  auto cube = four_pixels();
  cube.bands = GetParam().bands;
  cube.type = GetParam().type;
  cube.describe = [](GDALDataset& dataset) {
    for (int band = 1; band <= dataset.GetRasterCount(); ++band) {
      const bool alpha = band == GetParam().alpha;
      auto& one = *dataset.GetRasterBand(band);
      one.SetColorInterpretation(alpha ? GCI_AlphaBand : GCI_Undefined);
      one.SetMetadataItem("wavelength", std::to_string(500 + band).c_str());
      one.SetMetadataItem("wavelength_units", "nm");
      one.SetScale(alpha ? 99 : band);
      one.SetDescription(text::concat('b', band).c_str());
    }
  };
  const int alpha = GetParam().alpha - 1;
  test::write_tiff_cube(dir / "scan.tif", cube, [&](int band, int, int col) {
    return band == alpha ? (col == 2 ? 0.0 : 1.0) : 10.0 * band + col + 1;
  });
  CubeReader reader(format::read_cube_info(dir / "scan.tif"));
  const auto block = reader.read({0, 0, 1, 4});
  EXPECT_TRUE(block.valid.equal(torch::tensor({{true, true, false, true}})));
  EXPECT_EQ(reader.info().bands.count, GetParam().bands - 1);
  ASSERT_EQ(block.values.size(0), GetParam().bands - 1);
  for (int band = 0, index = 0; band < GetParam().bands; ++band) {
    if (band != alpha) {
      const auto i = static_cast<std::size_t>(index);
      EXPECT_EQ(block.values[index++][0][3].item<float>(), static_cast<float>((10 * band + 4) * (band + 1)));
      EXPECT_EQ(reader.info().bands.wavelengths_nm.at(i), 501 + band);
      EXPECT_EQ(reader.info().band_names.at(i), text::concat('b', band + 1));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Places, Alpha,
                         ::testing::Values(AlphaCase{2, 2, GDT_Byte}, AlphaCase{4, 4, GDT_UInt16},
                                           AlphaCase{6, 6, GDT_UInt16}, AlphaCase{6, 2, GDT_Byte},
                                           AlphaCase{5, 5, GDT_Float32}, AlphaCase{5, 5, GDT_Int32}));

TEST(SignedBytes, KeepTheirSigns) {
  const TempDir dir;
  TiffCube cube = four_pixels();
  cube.type = GDT_Byte;
  cube.options = {"PIXELTYPE=SIGNEDBYTE"};
  cube.describe = [](GDALDataset& dataset) { dataset.GetRasterBand(1)->SetNoDataValue(-128); };
  // GDAL writes the bits: 128 is -128, 255 is -1.
  test::write_tiff_cube(dir / "scan.tif", cube, [](int, int, int col) {
    return std::array{128.0, 255.0, 127.0, 1.0}.at(static_cast<std::size_t>(col));
  });
  CubeReader reader(format::read_cube_info(dir / "scan.tif"));
  EXPECT_EQ(reader.info().data_type, "int8");
  const auto block = reader.read({0, 0, 1, 4});
  EXPECT_TRUE(block.values[0][0].equal(torch::tensor({-128.0F, -1.0F, 127.0F, 1.0F})));
  EXPECT_TRUE(block.valid.equal(torch::tensor({{false, true, true, true}})));
}

/// A cube of 20 x 3 x 4 float32.
CubeReader reader_of(const TempDir& dir, const std::string& interleave,
                     const std::function<float(std::int64_t, std::int64_t, std::int64_t)>& value) {
  RawCube cube;
  cube.rows = 20;
  cube.data_type = 4;
  cube.interleave = interleave;
  cube.more = "data ignore value = -9\n";
  test::write_raw_cube<float>(dir / "scan.img", cube, value);
  return CubeReader(format::read_cube_info(dir / "scan.img"));
}

void no_step(std::int64_t, std::int64_t) {}

TEST(EmptyBands, AreThoseWithoutAnyValue) {
  constexpr auto kNothing = std::numeric_limits<float>::quiet_NaN();
  for (const auto* interleave : {"bsq", "bil", "bip"}) {
    const TempDir dir;
    auto reader = reader_of(dir, interleave, [&](std::int64_t band, std::int64_t row, std::int64_t col) {
      const bool only_value = band == 2 && row == 19 && col == 2;
      return band == 0 || only_value ? 1.0F : band == 1 ? -9.0F : col == 0 ? kNothing : -9.0F;
    });
    EXPECT_EQ(reader.empty_bands(no_step), (std::vector<std::int64_t>{1, 3}));
    reader.use_bands({true, false, true, true});
    EXPECT_EQ(reader.empty_bands(no_step), (std::vector<std::int64_t>{3}));
    reader.leave_out({3});
    EXPECT_EQ(reader.info().bands.good, (std::vector<bool>{true, true, true, false}));
    EXPECT_TRUE(reader.empty_bands(no_step).empty());
    // If all are empty, it is the image that is.
    reader.use_bands({false, true, false, true});
    EXPECT_TRUE(reader.empty_bands(no_step).empty());
    EXPECT_EQ(reader.pixel_states()
                  .ne(static_cast<std::uint8_t>(format::PixelState::unread))
                  .sum()
                  .item<std::int64_t>(),
              0);
  }
}

TEST(UsedBands, AloneDecideAndTheOthersAreCleared) {
  const TempDir dir;
  auto reader = reader_of(dir, "bil", [](std::int64_t band, std::int64_t row, std::int64_t) {
    return band != 1 ? 5.0F : row == 0 ? -9.0F : std::numeric_limits<float>::infinity();
  });
  EXPECT_FALSE(reader.read({0, 0, 20, 3}).valid.any().item<bool>());
  reader.use_bands({true, false, true, true});
  const auto block = reader.read({0, 0, 20, 3});
  EXPECT_TRUE(block.valid.all().item<bool>());
  auto wanted = torch::full({4, 20, 3}, 5.0F);
  wanted[1].fill_(0);
  wanted[1][0].fill_(-9);
  EXPECT_TRUE(block.values.equal(wanted)) << "what is not finite is 0";
}

TEST(CommonSpectra, AreCountedOverTheWholeImage) {
  const TempDir dir;
  // 12 of 60 pixels hold one spectrum, 6 another one, and 10 are no data already.
  auto reader = reader_of(dir, "bsq", [](std::int64_t band, std::int64_t row, std::int64_t col) {
    const auto pixel = row * 3 + col;
    return pixel < 12   ? -1.0F
           : pixel < 18 ? 40.0F + static_cast<float>(band)
           : pixel < 28 ? -9.0F
                        : static_cast<float>(pixel);
  });
  const auto common = reader.common_spectra(0.05);
  ASSERT_EQ(common.size(), 2U);
  EXPECT_EQ(common[0].share, 0.2);
  EXPECT_EQ(common[0].values, (std::vector<double>{-1, -1, -1, -1}));
  EXPECT_EQ(common[1].share, 0.1);
  EXPECT_EQ(common[1].values, (std::vector<double>{40, 41, 42, 43}));
  EXPECT_EQ(reader.common_spectra(0.1).size(), 1U);
}

TEST(CommonSpectra, AreEstimatedInLargeImages) {
  const TempDir dir;
  RawCube cube;
  cube.rows = 1100;
  cube.cols = 400;
  cube.bands = 10;
  cube.data_type = 12;
  for (const auto* interleave : {"bil", "bip"}) {
    cube.interleave = interleave;
    test::write_raw_cube<std::uint16_t>(
        dir / "scan.img", cube, [](std::int64_t band, std::int64_t row, std::int64_t col) {
          return row % 1000 < 150 ? 65535 : (row * 400 + col) * (band + 3) % 60000;
        });
    CubeReader reader(format::read_cube_info(dir / "scan.img"));
    const auto common = reader.common_spectra(0.1);
    ASSERT_EQ(common.size(), 1U) << interleave;
    EXPECT_NEAR(common[0].share, 250.0 / 1100, 0.03);
    EXPECT_EQ(common[0].values, std::vector<double>(10, 65535));
  }
}

/// What is said of a cube of this type whose values are 1 to 600, scaled, upon an offset.
template <class T>
std::string said_of_values(int type, double offset, double scale = 1, const std::string& more = "") {
  const TempDir dir;
  RawCube cube;
  cube.rows = 20;
  cube.cols = 30;
  cube.data_type = type;
  cube.more = more;
  test::write_raw_cube<T>(dir / "scan.img", cube, [&](std::int64_t band, std::int64_t row, std::int64_t col) {
    return static_cast<double>((row * 30 + col) * (band + 3) % 600 + 1) * scale + offset;
  });
  testing::internal::CaptureStderr();
  CubeReader(format::read_cube_info(dir / "scan.img")).common_spectra(0.05);
  return testing::internal::GetCapturedStderr();
}

TEST(DigitLoss, IsSaidOfValuesThatFloat32TellsApartBadly) {
  EXPECT_NE(said_of_values<std::uint32_t>(13, 2147483648.0).find("scan.img: values up to 2147484"),
            std::string::npos);
  for (const auto& said :
       {said_of_values<std::uint32_t>(13, 2147483648.0), said_of_values<std::uint32_t>(13, 1 << 25),
        said_of_values<std::int32_t>(3, -2147483647.0), said_of_values<double>(5, 1e12),
        said_of_values<double>(5, 1.0, 1e-9)}) {
    EXPECT_NE(said.find("need more digits than float32 has"), std::string::npos) << said;
  }
  for (const auto& said : {said_of_values<std::uint32_t>(13, 0), said_of_values<std::uint32_t>(13, 1 << 23),
                           said_of_values<std::uint32_t>(13, 0, 7e6), said_of_values<double>(5, 0, 0.1),
                           said_of_values<std::uint32_t>(
                               13, 2147483648.0, 1,
                               "data offset values = {-2147483648,-2147483648,-2147483648,-2147483648}\n")}) {
    EXPECT_EQ(said.find("float32"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace hyperdefect::io
