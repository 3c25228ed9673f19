// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "hyperdefect/core/error.h"
#include "hyperdefect/io/cube_reader.h"
#include "support/array_files.h"
#include "support/envi_files.h"
#include "support/expect_error.h"

namespace hyperdefect::io {
namespace {

using test::distinct_value;
using test::FileArray;
using test::TempDir;
using test::write_arrays;

/// Sizes that no two axes share.
constexpr std::int64_t kBands = 4;
constexpr std::int64_t kRows = 2;
constexpr std::int64_t kCols = 3;

torch::Tensor truth() {
  auto values = torch::empty({kBands, kRows, kCols});
  for (std::int64_t b = 0; b < kBands; ++b) {
    for (std::int64_t row = 0; row < kRows; ++row) {
      for (std::int64_t col = 0; col < kCols; ++col) {
        values.index_put_({b, row, col}, distinct_value(b, row, col));
      }
    }
  }
  return values;
}

/// What the three dimensions are called: of bands, rows and columns.
struct Names {
  std::string band;
  std::string row;
  std::string col;
};

/// Writes the cube with its dimensions in the order of "brc", "rcb" ...
void write_cube(const std::filesystem::path& path, const Names& names, const std::string& order,
                std::vector<FileArray> more = {}, const std::string& format = "NC4") {
  const std::map<char, std::pair<std::int64_t, std::string>> axes{
      {'b', {0, names.band}}, {'r', {1, names.row}}, {'c', {2, names.col}}};
  std::vector<std::int64_t> permutation;
  FileArray cube{"reflectance", {}, {}};
  for (const char axis : order) {
    permutation.push_back(axes.at(axis).first);
    cube.dimensions.push_back(axes.at(axis).second);
  }
  const auto values = truth().permute(permutation).contiguous().to(torch::kDouble);
  cube.values.assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  more.insert(more.begin(), std::move(cube));
  write_arrays(path, {{names.band, kBands}, {names.row, kRows}, {names.col, kCols}}, more, format);
}

torch::Tensor read_cube(const std::filesystem::path& path) {
  CubeReader reader(format::read_cube_info(path));
  return reader.read(whole(reader.info().size())).values;
}

TEST(ArrayCube, IsReadUprightInEveryOrderOfItsDimensions) {
  for (const auto& names :
       {Names{"bands", "downtrack", "crosstrack"}, Names{"wavelength", "y", "x"},
        Names{"spectral_channel", "scanline", "ground_pixel"},
        Names{"nBands", "number_of_lines", "number_of_samples"}, Names{"feature", "lat", "lon"},
        Names{"band", "rlat", "rlon"}, Names{"band", "dim_a", "dim_b"}}) {
    for (const std::string order : {"brc", "bcr", "rbc", "rcb", "cbr", "crb"}) {
      // Without names, the rows come before the columns.
      if (names.row == "dim_a" && order.find('c') < order.find('r')) {
        continue;
      }
      SCOPED_TRACE(names.band + " " + names.row + " " + order);
      const TempDir dir;
      write_cube(dir / "cube.nc", names, order);
      EXPECT_TRUE(torch::equal(read_cube(dir / "cube.nc"), truth()));
      CubeReader reader(format::read_cube_info(dir / "cube.nc"));
      EXPECT_TRUE(torch::equal(reader.read({1, 1, 1, 2}).values, truth().slice(1, 1, 2).slice(2, 1, 3)));
    }
  }
}

TEST(ArrayCube, IsTheSameInNetcdf3AndWhateverItsName) {
  const TempDir dir;
  write_cube(dir / "cube.nc", {"bands", "y", "x"}, "rcb", {}, "NC");
  std::filesystem::copy_file(dir / "cube.nc", dir / "cube.img");
  EXPECT_TRUE(torch::equal(read_cube(dir / "cube.img"), truth()));
  EXPECT_EQ(format::read_cube_info(dir / "cube.img").driver, "netCDF");
}

TEST(ArrayCube, HasTheWavelengthsOfTheFile) {
  const TempDir dir;
  write_cube(dir / "cube.nc", {"bands", "downtrack", "crosstrack"}, "rcb",
             {{"wavelengths", {"bands"}, {0.4, 0.5, 0.6, 0.7}, "um"},
              {"fwhm", {"bands"}, {0.01, 0.01, 0.02, 0.01}},
              {"good_wavelengths", {"bands"}, {1, 0, 1, 1}}});
  const auto info = format::read_cube_info(dir / "cube.nc");
  EXPECT_EQ(info.size(), (Size{kRows, kCols}));
  EXPECT_EQ(info.interleave, format::Interleave::bip);
  EXPECT_NEAR(info.bands.wavelengths_nm.at(3), 700, 1e-3);
  EXPECT_NEAR(info.bands.fwhm_nm.at(2), 20, 1e-3);
  EXPECT_EQ(info.bands.good, (std::vector<bool>{true, false, true, true}));
  EXPECT_EQ(info.wavelength_source, "array /wavelengths");
}

TEST(ArrayCube, KnowsItsBandsByTheLengthOfTheWavelengths) {
  const TempDir dir;
  write_cube(dir / "cube.nc", {"d0", "d1", "d2"}, "rcb",
             {{"wavelength", {"d0"}, {400, 500, 600, 700}, "nm"}});
  EXPECT_TRUE(torch::equal(read_cube(dir / "cube.nc"), truth()));
}

TEST(ArrayCube, IsRefusedWhereItsBandsCannotBeTold) {
  const TempDir dir;
  write_cube(dir / "cube.nc", {"d0", "d1", "d2"}, "rcb");
  HYPERDEFECT_EXPECT_ERROR(
      format::read_cube_info(dir / "cube.nc"), InputError,
      "cube.nc: cannot tell which dimension of /reflectance (d1 2, d2 3, d0 4) holds the bands; name the "
      "dimensions band, y and x, or convert the image to ENVI or GeoTIFF");
}

/// A series of images is no spectrum.
TEST(ArrayCube, IsRefusedIfItsThirdDimensionIsNoSpectralOne) {
  for (const auto* name : {"time", "Time", "month", "level", "depth"}) {
    const TempDir dir;
    write_cube(dir / "cube.nc", {name, "lat", "lon"}, "brc");
    HYPERDEFECT_EXPECT_ERROR(format::read_cube_info(dir / "cube.nc"), InputError,
                             "cube.nc: cannot tell which dimension of ");
  }
}

/// Every value that an attribute declares, in whatever spelling.
TEST(ArrayCube, TakesAllDeclaredFillValues) {
  for (const auto* attribute : {"missing_value", "Data_Ignore_Value", "FillValue", "no_data"}) {
    const TempDir dir;
    std::vector<double> values(4 * 2 * 3, 5);
    values[0] = -1;
    values[1] = -999;
    const std::vector<double> declared{-1, -999};
    FileArray cube{"cube", {"band", "y", "x"}, values};
    cube.describe = [&](GDALMDArray& array) {
      const auto made = array.CreateAttribute(attribute, {declared.size()},
                                              GDALExtendedDataType::Create(GDT_Float64), nullptr);
      ASSERT_TRUE(made && made->Write(declared.data(), declared.size()));
    };
    write_arrays(dir / "cube.nc", {{"band", 4}, {"y", 2}, {"x", 3}}, {cube});
    CubeReader reader(format::read_cube_info(dir / "cube.nc"));
    EXPECT_TRUE(
        reader.read({0, 0, 2, 3}).valid.equal(torch::tensor({{false, false, true}, {true, true, true}})))
        << attribute;
  }
}

/// Short and long texts lie in different places of a std::string.
TEST(ArrayCube, TakesAFillValueThatIsWrittenAsText) {
  for (const auto* text : {" -999 ", " -999.0000000000000000000000000000000000 "}) {
    const TempDir dir;
    std::vector<double> values(4 * 2 * 3, 5);
    values[0] = -999;
    FileArray cube{"cube", {"band", "y", "x"}, values};
    cube.describe = [&](GDALMDArray& array) {
      const auto made =
          array.CreateAttribute("missing_value", {}, GDALExtendedDataType::CreateString(), nullptr);
      ASSERT_TRUE(made && made->Write(text));
    };
    write_arrays(dir / "cube.nc", {{"band", 4}, {"y", 2}, {"x", 3}}, {cube});
    CubeReader reader(format::read_cube_info(dir / "cube.nc"));
    EXPECT_TRUE(
        reader.read({0, 0, 2, 3}).valid.equal(torch::tensor({{false, true, true}, {true, true, true}})))
        << text;
  }
}

TEST(ArrayCube, IsRefusedWhereTheFileHoldsNoneOrSeveral) {
  const TempDir dir;
  const std::vector<double> values(kBands * kRows * kCols, 1.0);
  write_cube(dir / "two.nc", {"band", "y", "x"}, "brc", {{"uncertainty", {"band", "y", "x"}, values}});
  HYPERDEFECT_EXPECT_ERROR(
      format::read_cube_info(dir / "two.nc"), InputError,
      "two.nc: holds 2 images, and it is not clear which one is the cube: /reflectance (band 4, y 2, x 3), "
      "/uncertainty (band 4, y 2, x 3); convert one of them to ENVI or GeoTIFF");
  write_arrays(dir / "none.nc", {{"wavelength", 2}}, {{"wavelength", {"wavelength"}, {400, 500}}});
  HYPERDEFECT_EXPECT_ERROR(
      format::read_cube_info(dir / "none.nc"), InputError,
      "none.nc: holds no array of two or three dimensions, and therefore no image; it holds /wavelength");
}

TEST(ArrayCube, AppliesScaleAndKnowsItsNoData) {
  const TempDir dir;
  FileArray cube{"counts", {"y", "x", "band"}, {1, 2, 3, -9999}};
  cube.describe = [](GDALMDArray& array) {
    array.SetNoDataValue(-9999.0);
    array.SetScale(0.5);
    array.SetOffset(10);
  };
  write_arrays(dir / "cube.nc", {{"y", 1}, {"x", 2}, {"band", 2}}, {cube});
  CubeReader reader(format::read_cube_info(dir / "cube.nc"));
  EXPECT_EQ(reader.info().no_data, -9999);
  const auto block = reader.read({0, 0, 1, 2});
  EXPECT_EQ(block.values[0][0][0].item<float>(), 10.5);
  EXPECT_EQ(block.values[1][0][0].item<float>(), 11);
  EXPECT_TRUE(block.valid[0][0].item<bool>());
  EXPECT_FALSE(block.valid[0][1].item<bool>());
}

TEST(ArrayCube, IsRefusedWhereItsScaleIsNotFinite) {
  const TempDir dir;
  FileArray cube{"counts", {"band", "y", "x"}, {1, 2}};
  cube.describe = [](GDALMDArray& array) { array.SetScale(std::nan("")); };
  write_arrays(dir / "cube.nc", {{"y", 1}, {"x", 1}, {"band", 2}}, {cube});
  HYPERDEFECT_EXPECT_ERROR(format::read_cube_info(dir / "cube.nc"), InputError,
                           "cube.nc: the scale of band 0 (counted from 0) is nan");
}

TEST(ArrayCube, TakesTheDefaultFillOfNetcdfForNoData) {
  for (const auto* format : {"NC", "NC4"}) {
    const TempDir dir;
    const FileArray cube{"counts", {"y", "x", "band"}, {1, 2, 3, 9.9692099683868690e+36}};
    write_arrays(dir / "cube.nc", {{"y", 1}, {"x", 2}, {"band", 2}}, {cube}, format);
    CubeReader reader(format::read_cube_info(dir / "cube.nc"));
    const auto block = reader.read({0, 0, 1, 2});
    EXPECT_TRUE(block.valid[0][0].item<bool>());
    EXPECT_FALSE(block.valid[0][1].item<bool>());
  }
}

TEST(ArrayCube, SaysThatLimitsOfValidValuesAreNotApplied) {
  for (const std::string limit : {"valid_min", "valid_max", "valid_range"}) {
    const TempDir dir;
    FileArray cube{"counts", {"y", "x", "band"}, {1, 2, 3, 4}};
    cube.describe = [&](GDALMDArray& array) {
      array.CreateAttribute(limit, {}, GDALExtendedDataType::Create(GDT_Float32), nullptr)->Write(2.0);
    };
    write_arrays(dir / "cube.nc", {{"y", 1}, {"x", 2}, {"band", 2}}, {cube});
    testing::internal::CaptureStderr();
    format::read_cube_info(dir / "cube.nc");
    const auto said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("cube.nc: the attribute " + limit + " of /counts is not applied"), std::string::npos)
        << said;
  }
}

}  // namespace
}  // namespace hyperdefect::io
