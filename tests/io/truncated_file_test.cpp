// SPDX-License-Identifier: Apache-2.0
// A file of which the end is missing reads as zeros, or as what happens to stand in memory, in more than one
// library. None may be taken for a cube.
#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hyperdefect/core/error.h"
#include "hyperdefect/format/netcdf_size.h"
#include "hyperdefect/io/cube_reader.h"
#include "support/array_files.h"
#include "support/temp_dir.h"

namespace hyperdefect::io {
namespace {

using test::TempDir;

using Dataset = std::unique_ptr<GDALDataset, decltype([](GDALDataset* dataset) { GDALClose(dataset); })>;

constexpr int kSide = 64;

struct Format {
  std::string driver;
  std::string extension;
  int bands = 3;
  std::vector<std::string> options = {};
};

void PrintTo(const Format& format, std::ostream* out) {
  *out << format.driver << format.extension;
  for (const auto& option : format.options) {
    *out << ' ' << option;
  }
}

/// Values that no compression makes small.
std::vector<std::uint8_t> noise(std::size_t count) {
  std::vector<std::uint8_t> values(count);
  std::uint32_t state = 1;
  for (auto& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(1 + (state >> 24) % 255);
  }
  return values;
}

/// Writes an image by GDAL; false if this GDAL has no such driver.
bool write_image(const std::filesystem::path& path, const Format& format) {
  GDALAllRegister();
  auto& manager = *GetGDALDriverManager();
  auto* driver = manager.GetDriverByName(format.driver.c_str());
  if (driver == nullptr) {
    return false;
  }
  const Dataset image(
      manager.GetDriverByName("MEM")->Create("", kSide, kSide, format.bands, GDT_Byte, nullptr));
  auto values = noise(static_cast<std::size_t>(kSide * kSide * format.bands));
  if (image->RasterIO(GF_Write, 0, 0, kSide, kSide, values.data(), kSide, kSide, GDT_Byte, format.bands,
                      nullptr, 0, 0, 0, nullptr) != CE_None) {
    throw std::runtime_error("the test's image cannot be made");
  }
  CPLStringList options;
  for (const auto& option : format.options) {
    options.AddString(option.c_str());
  }
  return Dataset(driver->CreateCopy(path.c_str(), image.get(), FALSE, options.List(), nullptr, nullptr)) !=
         nullptr;
}

void read_whole(const std::filesystem::path& path) {
  CubeReader reader(format::read_cube_info(path));
  const auto block = reader.read({0, 0, kSide, kSide});
  ASSERT_TRUE(block.valid.all().item<bool>()) << path;
}

class Truncated : public ::testing::TestWithParam<Format> {};

TEST_P(Truncated, IsRefused) {
  const TempDir dir;
  const auto path = dir / ("scan" + GetParam().extension);
  if (!write_image(path, GetParam())) {
    GTEST_SKIP() << "this GDAL writes no " << GetParam().driver;
  }
  std::filesystem::remove(path.string() + ".aux.xml");
  ASSERT_NO_THROW(read_whole(path));
  const auto bytes = test::read_bytes(path);
  for (const double part : {0.99, 0.75, 0.5, 0.25}) {
    test::write_bytes(path,
                      bytes.substr(0, static_cast<std::size_t>(part * static_cast<double>(bytes.size()))));
    EXPECT_THROW(read_whole(path), InputError) << part;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, Truncated,
    ::testing::Values(Format{"GTiff", ".tif"}, Format{"GTiff", ".tif", 3, {"COMPRESS=DEFLATE"}},
                      Format{"GTiff", ".tif", 3, {"COMPRESS=JPEG"}},
                      Format{"GTiff", ".tif", 3, {"INTERLEAVE=BAND", "TILED=YES"}},
                      Format{"GTiff", ".tif", 3, {"COPY_SRC_OVERVIEWS=YES", "BIGTIFF=YES"}},
                      Format{"PNG", ".png"}, Format{"JPEG", ".jpg"}, Format{"BMP", ".bmp"},
                      Format{"PNM", ".ppm"}, Format{"FITS", ".fits"},
                      Format{"JP2OpenJPEG", ".jp2", 3, {"REVERSIBLE=YES", "QUALITY=100"}},
                      Format{"WEBP", ".webp", 3, {"LOSSLESS=YES"}}));

/// The three classic formats and HDF5, with and without records.
TEST(TruncatedArrays, AreRefused) {
  for (const auto* format : {"NC", "NC2", "NC4"}) {
    const TempDir dir;
    const auto path = dir / "scan.nc";
    std::vector<double> values(4 * 6 * 5);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = 1 + static_cast<double>(i);
    }
    test::write_arrays(path, {{"band", 4}, {"y", 6}, {"x", 5}}, {{"cube", {"band", "y", "x"}, values}},
                       format);
    ASSERT_NO_THROW(format::read_cube_info(path)) << format;
    const auto bytes = test::read_bytes(path);
    if (std::string(format) != "NC4") {
      EXPECT_EQ(format::classic_netcdf_bytes(path), bytes.size()) << format;
    }
    for (const std::size_t missing : {std::size_t{1}, std::size_t{100}, bytes.size() / 2}) {
      test::write_bytes(path, bytes.substr(0, bytes.size() - missing));
      EXPECT_THROW(format::read_cube_info(path), InputError) << format << ' ' << missing;
    }
  }
}

}  // namespace
}  // namespace hyperdefect::io
