// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_writer.h"

#include <gtest/gtest.h>
#include <ogr_spatialref.h>

#include <cmath>

#include "hyperdefect/core/error.h"
#include "hyperdefect/io/cube_reader.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"

namespace hyperdefect::io {
namespace {

using test::TempDir;

spectral::Bands three_bands() {
  return {3, {450.5, 550, 650.25}, {5, 5, 6}, {true, false, true}};
}

torch::Tensor ramp() {
  return torch::arange(1, 3 * 4 * 5 + 1, torch::kFloat32).reshape({3, 4, 5});
}

std::int64_t files_in(const std::filesystem::path& dir) {
  return std::distance(std::filesystem::directory_iterator(dir), {});
}

TEST(WriteEnvi, IsReadBackInEveryLayoutAndType) {
  const TempDir dir;
  for (const auto interleave : {format::Interleave::bsq, format::Interleave::bil, format::Interleave::bip}) {
    for (const std::string type : {"uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"}) {
      EnviWriteOptions options;
      options.interleave = interleave;
      options.data_type = type;
      write_envi(dir / "scan.img", ramp(), three_bands(), options);
      CubeReader reader(format::read_cube_info(dir / "scan.img"));
      EXPECT_EQ(reader.info().data_type, type);
      EXPECT_EQ(reader.info().interleave, interleave);
      EXPECT_EQ(reader.info().bands, three_bands());
      EXPECT_TRUE(reader.read({0, 0, 4, 5}).values.equal(ramp())) << type;
    }
  }
  EXPECT_EQ(files_in(dir.path()), 2);
}

TEST(WriteEnvi, CarriesGeoreferenceNoDataAndDescription) {
  const TempDir dir;
  EnviWriteOptions options;
  options.georeference.transform = {500000, 30, 0, 5800000, 0, -30};
  options.no_data = -9999;
  options.description = "a small ramp";
  write_envi(dir / "scan.img", ramp(), {3, {}, {}, {}}, options);
  const auto info = format::read_cube_info(dir / "scan.img");
  EXPECT_EQ(info.georeference.transform, options.georeference.transform);
  EXPECT_EQ(info.no_data, -9999);
  EXPECT_TRUE(info.bands.wavelengths_nm.empty());
  EXPECT_NE(test::read_bytes(dir / "scan.hdr").find("a small ramp"), std::string::npos);
}

/// What comes back of one value in a file of this type.
double written_as(const std::string& type, double value) {
  const TempDir dir;
  EnviWriteOptions options;
  options.data_type = type;
  write_envi(dir / "scan.img", torch::full({1, 1, 4}, value, torch::kFloat64), {1, {}, {}, {}}, options);
  return CubeReader(format::read_cube_info(dir / "scan.img"))
      .read({0, 0, 1, 4})
      .values[0][0][0]
      .item<double>();
}

TEST(WriteEnvi, RoundsAndClampsToWholeNumbers) {
  EXPECT_EQ(written_as("uint8", 2.5), 3);
  EXPECT_EQ(written_as("uint8", 2.49), 2);
  EXPECT_EQ(written_as("uint8", -7), 0);
  EXPECT_EQ(written_as("uint8", 1e9), 255);
  EXPECT_EQ(written_as("uint8", std::nan("")), 0);
  EXPECT_EQ(written_as("int16", -2.5), -3);
  EXPECT_EQ(written_as("int16", -1e9), -32768);
  EXPECT_EQ(written_as("uint16", 1e9), 65535);
  EXPECT_EQ(written_as("int32", -3e9), -2147483648.0);
  EXPECT_EQ(written_as("uint32", 1e10), 4294967296.0);  // the reader's float32 of 4294967295
  EXPECT_EQ(written_as("float32", 1.0 / 3), static_cast<double>(1.0F / 3));
}

TEST(WriteEnvi, WritesACubeInSlicesAsInOnePiece) {
  const TempDir dir;
  // 24 MB of doubles, more than is written at a time.
  const auto cube = torch::arange(3 * 1000 * 1000, torch::kFloat32).reshape({3, 1000, 1000});
  for (const auto interleave : {format::Interleave::bsq, format::Interleave::bil, format::Interleave::bip}) {
    EnviWriteOptions options;
    options.interleave = interleave;
    write_envi(dir / "scan.img", cube, {3, {}, {}, {}}, options);
    EXPECT_TRUE(
        CubeReader(format::read_cube_info(dir / "scan.img")).read({0, 0, 1000, 1000}).values.equal(cube));
  }
}

TEST(WriteEnvi, CarriesAProjectionARotationAndControlPoints) {
  const TempDir dir;
  EnviWriteOptions options;
  OGRSpatialReference crs;
  crs.importFromEPSG(32633);
  char* wkt = nullptr;
  crs.exportToWkt(&wkt);
  options.georeference.wkt = wkt;
  CPLFree(wkt);
  options.georeference.transform = {500000, 30, 0, 5800000, 0, -30};
  write_envi(dir / "utm.img", ramp(), three_bands(), options);
  const auto utm = format::read_cube_info(dir / "utm.img");
  EXPECT_EQ(utm.georeference.transform, options.georeference.transform);
  EXPECT_NE(utm.georeference.wkt.find("zone 33N"), std::string::npos) << utm.georeference.wkt;
  EXPECT_EQ(utm.bands, three_bands());

  EnviWriteOptions points;
  points.georeference.gcps = {
      {"", 0, 0, 10, 50, 0}, {"", 5, 0, 11, 50, 0}, {"", 5, 4, 11, 49, 0}, {"", 0, 4, 10, 49, 0}};
  write_envi(dir / "points.img", ramp(), three_bands(), points);
  EXPECT_EQ(format::read_cube_info(dir / "points.img").georeference.gcps.size(), 4U);
}

TEST(WriteEnvi, InventsNoGeoreferenceAndWritesTheSameBytesTwice) {
  const TempDir dir;
  write_envi(dir / "scan.img", ramp(), three_bands());
  EXPECT_TRUE(format::read_cube_info(dir / "scan.img").georeference.empty());
  const auto header = test::read_bytes(dir / "scan.hdr");
  EXPECT_EQ(header.find(".hyperdefect-"), std::string::npos) << header;
  const auto data = test::read_bytes(dir / "scan.img");
  write_envi(dir / "scan.img", ramp(), three_bands());
  EXPECT_EQ(test::read_bytes(dir / "scan.hdr"), header);
  EXPECT_EQ(test::read_bytes(dir / "scan.img"), data);
}

TEST(WriteEnvi, NamesTheHeaderOfAFileWithoutExtension) {
  const TempDir dir;
  write_envi(dir / "scan", ramp(), three_bands());
  EXPECT_TRUE(std::filesystem::exists(dir / "scan.hdr"));
  EXPECT_EQ(format::read_cube_info(dir / "scan").bands.count, 3);
  EXPECT_EQ(files_in(dir.path()), 2);
}

TEST(WriteEnvi, RefusesWhatItCannotWrite) {
  const TempDir dir;
  EnviWriteOptions options;
  options.data_type = "float16";
  HYPERDEFECT_EXPECT_ERROR(write_envi(dir / "scan.img", ramp(), three_bands(), options), UsageError,
                           "data type 'float16' cannot be written: choose uint8, int16");
  HYPERDEFECT_EXPECT_ERROR(write_envi(dir / "scan.hdr", ramp(), three_bands()), UsageError,
                           "scan.hdr: give the name of the data file (.img), not of its header");
  HYPERDEFECT_EXPECT_ERROR(write_envi(dir / "no" / "scan.img", ramp(), three_bands()), Error,
                           "cannot write ");
  EXPECT_THROW(write_envi(dir / "scan.img", ramp(), {2, {}, {}, {}}), c10::Error);
  EXPECT_EQ(files_in(dir.path()), 0);
}

}  // namespace
}  // namespace hyperdefect::io
