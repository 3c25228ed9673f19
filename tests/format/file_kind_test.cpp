// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/file_kind.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temp_dir.h"
#include "support/tiff_files.h"

namespace hyperdefect::format {
namespace {

using namespace std::string_literals;
using test::TempDir;
using test::write_bytes;

FileKind kind_of(const std::string& bytes) {
  const TempDir dir;
  write_bytes(dir / "scan.img", bytes);
  return file_kind(dir / "scan.img");
}

TEST(FileKind, FollowsFromTheFirstBytes) {
  const std::vector<std::pair<std::string, FileKind>> kinds{
      {"II*\0\x08\0\0\0"s, FileKind::tiff},
      {"MM\0*\0\0\0\x08"s, FileKind::tiff},
      {"II+\0\x08\0\0\0"s, FileKind::tiff},
      {"MM\0+\0\x08\0\0"s, FileKind::tiff},
      {"\0\0\0\x0CjP  \r\n\x87\n"s, FileKind::jpeg2000},
      {"CDF\x01...."s, FileKind::netcdf},
      {"CDF\x05...."s, FileKind::netcdf},
      {"\x89HDF\r\n\x1A\n"s, FileKind::hdf5},
      {std::string(512, '\0') + "\x89HDF\r\n\x1A\n", FileKind::hdf5},
      {std::string(2048, '\0') + "\x89HDF\r\n\x1A\n", FileKind::hdf5},
      {"\x0E\x03\x13\x01"s, FileKind::hdf4},
      {"\x89PNG\r\n\x1A\n"s, FileKind::png},
      {"\xFF\xD8\xFF\xE0"s, FileKind::jpeg},
      {"GIF89a"s, FileKind::gif},
      {"<VRTDataset>"s, FileKind::xml},
      {" \n<GDAL_WMS>"s, FileKind::xml},
      {"PK\x03\x04"s, FileKind::zip},
      {"PK\x05\x06"s, FileKind::zip},
      {"BZh91AY&SY"s, FileKind::bzip2},
      {"BZh11AY&SY"s, FileKind::bzip2},
      {"\xFD"
       "7zXZ\0"s,
       FileKind::xz},
      {"\x28\xB5\x2F\xFD"s, FileKind::zstd},
      {"\x04\x22\x4D\x18"s, FileKind::lz4},
      {"7z\xBC\xAF\x27\x1C"s, FileKind::seven_zip},
      {"Rar!\x1A\x07"s, FileKind::rar},
      {std::string(257, 'a') + "ustar", FileKind::tar},
      {"MATLAB 5.0 MAT-file, Platform"s, FileKind::matlab},
      {"\x93NUMPY\1"s, FileKind::numpy},
      {"\x40\0\0\0\0\0\0\0{\"a\":"s, FileKind::safetensors},
      {"PAR1"s, FileKind::parquet},
      {"\x7F"
       "ELF"s,
       FileKind::elf},
      {"NITF02.10"s, FileKind::nitf},
      {"Object = IsisCube"s, FileKind::isis},
      {"PDS_VERSION_ID = PDS3"s, FileKind::pds},
      {"PCIDSK  "s, FileKind::pcidsk},
      {"EHFA_HEADER_TAG"s, FileKind::erdas},
      {"KRO\x01"s, FileKind::kro},
      {"\x76\x2F\x31\x01"s, FileKind::openexr},
      {"GRIB"s, FileKind::grib},
      {"BZh9"s, FileKind::unknown},
      {std::string(16, '\0'), FileKind::unknown},
      {""s, FileKind::unknown},
      {"BM, as pixels may begin by chance"s, FileKind::unknown},
      {std::string(100, '<'), FileKind::unknown},
      {"II"s, FileKind::unknown},
      {"ENVI\n"s, FileKind::unknown},
  };
  for (const auto& [bytes, kind] : kinds) {
    EXPECT_EQ(kind_of(bytes), kind) << bytes;
  }
}

TEST(FileKind, IsUnknownOfWhatCannotBeRead) {
  EXPECT_EQ(file_kind("no such file"), FileKind::unknown);
  EXPECT_FALSE(is_text("no such file"));
}

TEST(FileKind, KnowsWhatGdalWrites) {
  const TempDir dir;
  for (const std::string big : {"YES", "NO"}) {
    test::TiffCube cube;
    cube.options = {"BIGTIFF=" + big};
    test::write_tiff_cube(dir / "scan.dat", cube, [](int, int, int) { return 1.0; });
    EXPECT_EQ(file_kind(dir / "scan.dat"), FileKind::tiff);
  }
}

TEST(FileKind, HasANameAndAUse) {
  EXPECT_EQ(name_of(FileKind::unknown), "unknown");
  EXPECT_EQ(name_of(FileKind::tiff), "TIFF");
  EXPECT_EQ(name_of(FileKind::sqlite), "SQLite");
  EXPECT_EQ(name_of(FileKind::erdas), "Erdas Imagine");
  EXPECT_EQ(name_of(FileKind::grib), "GRIB");
  EXPECT_FALSE(may_hold_cube(FileKind::bzip2));
  EXPECT_TRUE(may_hold_cube(FileKind::tiff));
  EXPECT_TRUE(may_hold_cube(FileKind::fits));
  EXPECT_FALSE(may_hold_cube(FileKind::png));
  EXPECT_TRUE(is_picture(FileKind::png));
  EXPECT_FALSE(is_picture(FileKind::xml));
}

TEST(FileKind, TellsTextFromPixels) {
  const TempDir dir;
  write_bytes(dir / "text", "a line\r\n\tanother, in Kr\xC3\xBCmel\n");
  write_bytes(dir / "pixels", "text \1\2");
  write_bytes(dir / "empty", "");
  EXPECT_TRUE(is_text(dir / "text"));
  EXPECT_FALSE(is_text(dir / "pixels"));
  EXPECT_FALSE(is_text(dir / "empty"));
}

}  // namespace
}  // namespace hyperdefect::format
