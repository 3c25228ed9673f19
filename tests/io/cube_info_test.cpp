// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_info.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "support/envi_files.h"
#include "support/expect_error.h"
#include "support/tiff_files.h"

namespace hyperdefect::io {
namespace {

using test::distinct_value;
using test::RawCube;
using test::TempDir;
using test::TiffCube;
using test::write_bytes;
using test::write_raw_cube;

/// What reading the info of a cube with these header lines gives.
CubeInfo info_with(const std::string& more, const ReadOptions& options = {}) {
  const TempDir dir;
  RawCube cube;
  cube.more = more;
  write_raw_cube<std::uint16_t>(dir / "scan.img", cube, distinct_value);
  return read_cube_info(dir / "scan.img", options);
}

/// What is written to stderr meanwhile.
template <class Action>
std::string printed(Action action) {
  testing::internal::CaptureStderr();
  action();
  return testing::internal::GetCapturedStderr();
}

double plain(int band, int row, int col) {
  return static_cast<double>(distinct_value(band, row, col));
}

TEST(CubeInfo, TellsWhatAnEnviCubeIs) {
  const TempDir dir;
  RawCube cube;
  cube.interleave = "bil";
  cube.more = "data ignore value = 7\nband names = {a, b, c, d}\n";
  write_raw_cube<std::uint16_t>(dir / "scan.img", cube, distinct_value);
  const auto info = read_cube_info(dir / "scan.hdr");
  EXPECT_EQ(info.path, dir / "scan.img");
  EXPECT_EQ(info.header, dir / "scan.hdr");
  EXPECT_EQ(info.driver, "ENVI");
  EXPECT_EQ(info.size(), (Size{2, 3}));
  EXPECT_EQ(info.bands.count, 4);
  EXPECT_EQ(info.data_type, "uint16");
  EXPECT_EQ(info.bytes_per_value, 2);
  EXPECT_EQ(info.no_data, 7);
  EXPECT_EQ(to_string(info.interleave), "bil");
  EXPECT_EQ(info.storage_block, (Size{1, 3}));
  EXPECT_EQ(info.band_names, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_TRUE(info.georeference.empty());
  EXPECT_TRUE(info.scale.empty());
  EXPECT_EQ(info.wavelength_source, "none");
}

TEST(CubeInfo, ReadsTheSpectralAxisInNanometres) {
  const auto info = info_with(
      "wavelength = {0.4, 0.5, 0.6, 0.7}\nwavelength units = Micrometers\nfwhm = {0.01, 0.01, 0.01, 0.02}\n"
      "bbl = {1.0, 1, 0, 1}\n");
  EXPECT_EQ(info.bands.wavelengths_nm, (std::vector<double>{400, 500, 600, 700}));
  EXPECT_EQ(info.bands.fwhm_nm, (std::vector<double>{10, 10, 10, 20}));
  EXPECT_EQ(info.bands.good, (std::vector<bool>{true, true, false, true}));
  EXPECT_EQ(info.wavelength_source, "ENVI header");
}

TEST(CubeInfo, ConvertsWavenumbers) {
  for (const auto* unit :
       {"wavelength units = Wavenumber\n", "z plot titles = {Wavenumbers (cm-1), Absorbance}\n"}) {
    const auto info =
        info_with(text::cat(unit, "wavelength = {1000, 2000, 2500, 4000}\nfwhm = {1, 1, 1, 8}\n"));
    EXPECT_EQ(info.bands.wavelengths_nm, (std::vector<double>{10000, 5000, 4000, 2500}));
    EXPECT_DOUBLE_EQ(info.bands.fwhm_nm[3], 5);
  }
}

TEST(CubeInfo, GuessesTheUnitOnlyWithAWarning) {
  CubeInfo info;
  const auto nm = printed([&] { info = info_with("wavelength = {400, 500, 600, 700}\n"); });
  EXPECT_EQ(info.bands.wavelengths_nm[3], 700);
  EXPECT_NE(nm.find("no wavelength unit is stated; 400 to 700 are taken as nanometres"), std::string::npos)
      << nm;
  const auto um =
      printed([&] { info = info_with("wavelength = {0.4, 0.5, 0.6, 2.5}\nwavelength units = Unknown\n"); });
  EXPECT_EQ(info.bands.wavelengths_nm[3], 2500);
  EXPECT_NE(um.find("0.4 to 2.5 are taken as micrometres"), std::string::npos) << um;
}

TEST(CubeInfo, ObeysTheUsersUnitWithoutAWarning) {
  ReadOptions options;
  options.wavelength_unit = "um";
  CubeInfo info;
  EXPECT_EQ(printed([&] { info = info_with("wavelength = {1, 2, 3, 4}\nwavelength units = nm\n", options); }),
            "");
  EXPECT_EQ(info.bands.wavelengths_nm[0], 1000);
}

TEST(CubeInfo, DoesWithoutWavelengthsThatAreNone) {
  const auto index = printed([] {
    EXPECT_TRUE(
        info_with("wavelength = {5, 6, 7, 8}\nwavelength units = Index\n").bands.wavelengths_nm.empty());
  });
  EXPECT_NE(index.find("have the unit 'Index', which is no length; the cube is read without them"),
            std::string::npos)
      << index;
  const auto zero = printed([] {
    EXPECT_TRUE(info_with("wavelength = {0, 0, 0, 0}\nwavelength units = nm\n").bands.wavelengths_nm.empty());
  });
  EXPECT_NE(zero.find("are not all positive"), std::string::npos) << zero;
  EXPECT_TRUE(info_with("wavelength = {1, 2, 3, 4}\n").bands.wavelengths_nm.empty());
}

TEST(CubeInfo, ReadsGainsOrTheReflectanceScaleFactor) {
  const auto gains = info_with("data gain values = {1, 2, 3, 4}\ndata offset values = {0, 0, 0, -5}\n");
  EXPECT_EQ(gains.scale, (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(gains.offset, (std::vector<double>{0, 0, 0, -5}));
  const auto factor = info_with("reflectance scale factor = 10000\n");
  EXPECT_EQ(factor.scale, std::vector<double>(4, 1e-4));
  EXPECT_TRUE(factor.offset.empty());
  const auto both = printed([] {
    EXPECT_EQ(info_with("data gain values = {2, 2, 2, 2}\nreflectance scale factor = 100\n").scale[0], 2);
  });
  EXPECT_NE(both.find("scale factor 100 beside them is not"), std::string::npos) << both;
  HYPERDEFECT_EXPECT_ERROR(info_with("reflectance scale factor = 0\n"), InputError,
                           "scan.hdr: reflectance scale factor = 0: it must be a positive number");
}

TEST(CubeInfo, WarnsOfANoDataValueOutsideTheType) {
  const auto said = printed([] { info_with("data ignore value = -9999\n"); });
  EXPECT_NE(said.find("the no-data value -9999 does not exist in uint16"), std::string::npos) << said;
  ReadOptions options;
  options.no_data = {12};
  EXPECT_EQ(printed([&] { EXPECT_EQ(info_with("data ignore value = -9999\n", options).no_data, 12); }), "");
}

TEST(CubeInfo, CarriesTheGeoreference) {
  const auto info = info_with("map info = {UTM, 1, 1, 500000, 5800000, 30, 20, 33, North, WGS-84}\n");
  ASSERT_TRUE(info.georeference.transform.has_value());
  EXPECT_EQ(*info.georeference.transform, (std::array<double, 6>{500000, 30, 0, 5800000, 0, -20}));
  EXPECT_NE(info.georeference.wkt.find("Transverse_Mercator"), std::string::npos);
}

TEST(CubeInfo, SaysWhichOfTwoHeadersIsUsed) {
  const TempDir dir;
  RawCube cube;
  write_raw_cube<std::uint16_t>(dir / "scan.img", cube, distinct_value);
  cube.more = "data ignore value = 3\n";
  write_bytes(dir / "scan.img.hdr", cube.header());
  const auto said = printed([&] { EXPECT_EQ(read_cube_info(dir / "scan.img").no_data, 3); });
  EXPECT_NE(said.find("scan.img.hdr is used as its header, not scan.hdr"), std::string::npos) << said;
}

TEST(CubeInfo, RefusesTruncatedDataWithBothSizes) {
  const TempDir dir;
  const RawCube cube;
  const auto bytes = cube.bytes<std::uint16_t>(distinct_value);
  write_bytes(dir / "scan.hdr", cube.header());
  write_bytes(dir / "scan.img", bytes.substr(0, 40));
  HYPERDEFECT_EXPECT_ERROR(
      read_cube_info(dir / "scan.img"), InputError,
      "scan.img: is truncated: it has 40 bytes, its header scan.hdr describes 48 (0 + 2 lines x 3 "
      "samples x 4 bands x 2)");
  write_bytes(dir / "scan.img", bytes + "tail");
  const auto said = printed([&] { read_cube_info(dir / "scan.img"); });
  EXPECT_NE(said.find("has 52 bytes, its header scan.hdr describes 48"), std::string::npos) << said;
}

TEST(CubeInfo, RefusesListsThatDoNotFitTheBands) {
  for (const std::string key : {"wavelength", "fwhm", "bbl", "data gain values", "data offset values"}) {
    HYPERDEFECT_EXPECT_ERROR(
        info_with(key + " = {1, 2, 3}\n"), InputError,
        "scan.hdr line 10: " + key + " has 3 entries for 4 bands; it must have one a band");
  }
}

TEST(CubeInfo, RefusesPathsThatAreNoCube) {
  const TempDir dir;
  write_bytes(dir / "lonely.hdr", RawCube().header());
  write_bytes(dir / "lonely.img.txt", "x");
  write_bytes(dir / "raw.img", "0123456789");
  write_bytes(dir / "marked.img", "0123456789");
  write_bytes(dir / "marked.hdr", "\xEF\xBB\xBF" + RawCube().header());
  write_bytes(dir / "esri.bil", "0123456789");
  write_bytes(dir / "esri.hdr", "BYTEORDER I\nLAYOUT BIL\nNROWS 1\nNCOLS 5\nNBANDS 1\nNBITS 16\n");
  const auto said = printed([&] {
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "no.img"), InputError, "no.img: there is no such file");
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir.path()), InputError,
                             "is a folder; a cube is a data file or its .hdr");
    HYPERDEFECT_EXPECT_ERROR(
        read_cube_info(dir / "lonely.hdr"), InputError,
        "lonely.hdr: the header's data file is missing: neither lonely nor lonely.img, .dat");
    HYPERDEFECT_EXPECT_ERROR(
        read_cube_info(dir / "raw.img"), InputError,
        "raw.img: is no image that can be read, and no ENVI header (raw.img.hdr or raw.hdr) lies "
        "beside it");
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "marked.img"), InputError,
                             "marked.hdr: a byte order mark stands before ENVI");
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "esri.bil"), InputError,
                             "esri.hdr: is an ESRI header, not an ENVI");
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "esri.hdr"), InputError,
                             "esri.hdr: is an ESRI header, not an ENVI");
  });
  EXPECT_EQ(said, "");
}

TEST(CubeInfo, TellsWhatATiffIs) {
  const TempDir dir;
  TiffCube cube;
  cube.options = {"INTERLEAVE=PIXEL", "TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "COMPRESS=DEFLATE"};
  cube.describe = [](GDALDataset& dataset) {
    dataset.GetRasterBand(1)->SetNoDataValue(65535);
    dataset.GetRasterBand(2)->SetScale(0.5);
    dataset.GetRasterBand(2)->SetDescription("two");
  };
  test::write_tiff_cube(dir / "scan.tif", cube, plain);
  const auto info = read_cube_info(dir / "scan.tif");
  EXPECT_EQ(info.driver, "GTiff");
  EXPECT_TRUE(info.header.empty());
  EXPECT_EQ(info.size(), (Size{20, 18}));
  EXPECT_EQ(info.interleave, Interleave::bip);
  EXPECT_EQ(info.storage_block, (Size{16, 16}));
  EXPECT_EQ(info.no_data, 65535);
  EXPECT_EQ(info.scale, (std::vector<double>{1, 0.5, 1}));
  EXPECT_EQ(info.band_names, (std::vector<std::string>{"", "two", ""}));
  EXPECT_TRUE(info.georeference.empty());
}

CubeInfo tiff_info(const std::function<void(GDALDataset&)>& describe) {
  const TempDir dir;
  TiffCube cube;
  cube.describe = describe;
  test::write_tiff_cube(dir / "scan.tif", cube, plain);
  return read_cube_info(dir / "scan.tif");
}

TEST(CubeInfo, FindsWavelengthsOfATiffInEachPlace) {
  const auto imagery = tiff_info([](GDALDataset& dataset) {
    for (int b = 1; b <= 3; ++b) {
      dataset.GetRasterBand(b)->SetMetadataItem("CENTRAL_WAVELENGTH_UM", text::cat("0.", b + 3).c_str(),
                                                "IMAGERY");
      dataset.GetRasterBand(b)->SetMetadataItem("wavelength", "99");
    }
  });
  EXPECT_EQ(imagery.bands.wavelengths_nm, (std::vector<double>{400, 500, 600}));
  EXPECT_EQ(imagery.wavelength_source, "band metadata CENTRAL_WAVELENGTH_UM");

  const auto band = tiff_info([](GDALDataset& dataset) {
    for (int b = 1; b <= 3; ++b) {
      dataset.GetRasterBand(b)->SetMetadataItem("wavelength", text::cat(b, "00").c_str());
      dataset.GetRasterBand(b)->SetMetadataItem("wavelength_units", "Nanometers");
      dataset.GetRasterBand(b)->SetMetadataItem("fwhm", "7.5");
      dataset.GetRasterBand(b)->SetMetadataItem("bbl", b == 2 ? "0" : "1");
    }
  });
  EXPECT_EQ(band.bands.wavelengths_nm, (std::vector<double>{100, 200, 300}));
  EXPECT_EQ(band.bands.fwhm_nm, (std::vector<double>{7.5, 7.5, 7.5}));
  EXPECT_EQ(band.bands.good, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(band.wavelength_source, "band metadata wavelength");

  const auto domain = tiff_info([](GDALDataset& dataset) {
    dataset.SetMetadataItem("wavelength", "{0.5, 0.6, 0.7}", "ENVI");
    dataset.SetMetadataItem("wavelength_units", "Micrometers", "ENVI");
  });
  EXPECT_EQ(domain.bands.wavelengths_nm, (std::vector<double>{500, 600, 700}));
  EXPECT_EQ(domain.wavelength_source, "metadata domain ENVI");
}

TEST(CubeInfo, CarriesControlPoints) {
  const auto info = tiff_info([](GDALDataset& dataset) {
    GDAL_GCP points[3];
    GDALInitGCPs(3, points);
    for (int i = 0; i < 3; ++i) {
      points[i].dfGCPPixel = i;
      points[i].dfGCPLine = i * i;
      points[i].dfGCPX = 10 + i;
      points[i].dfGCPY = 50 - i;
    }
    OGRSpatialReference wgs84;
    wgs84.importFromEPSG(4326);
    dataset.SetGCPs(3, points, &wgs84);
    GDALDeinitGCPs(3, points);
  });
  ASSERT_EQ(info.georeference.gcps.size(), 3U);
  EXPECT_FALSE(info.georeference.transform.has_value());
  EXPECT_EQ(info.georeference.gcps[2].row, 4);
  EXPECT_EQ(info.georeference.gcps[2].x, 12);
  EXPECT_NE(info.georeference.gcp_wkt.find("WGS 84"), std::string::npos);
}

TEST(CubeInfo, RefusesATiffWithMissingBlocks) {
  const TempDir dir;
  TiffCube cube;
  cube.options = {"TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "COMPRESS=DEFLATE", "SPARSE_OK=TRUE"};
  cube.last_row = 16;
  test::write_tiff_cube(dir / "killed.tif", cube, plain);
  HYPERDEFECT_EXPECT_ERROR(
      read_cube_info(dir / "killed.tif"), InputError,
      "killed.tif: block (0, 1) of band 1 is missing; the file was not written to its end");
}

TEST(CubeInfo, RefusesATiffThatEndsTooEarly) {
  const TempDir dir;
  test::write_tiff_cube(dir / "whole.tif", {}, plain);
  const auto bytes = test::read_bytes(dir / "whole.tif");
  write_bytes(dir / "cut.tif", std::string_view(bytes).substr(0, bytes.size() - 100));
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "cut.tif"), InputError, "ends behind the end of the file");
  write_bytes(dir / "stub.tif", std::string_view(bytes).substr(0, 20));
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "stub.tif"), InputError,
                           "stub.tif: is no image that can be read");
}

TEST(CubeInfo, RefusesTiffsThatAreNoCubes) {
  const TempDir dir;
  TiffCube complex;
  complex.type = GDT_CFloat32;
  test::write_tiff_cube(dir / "complex.tif", complex, plain);
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "complex.tif"), InputError,
                           "complex.tif: holds complex values (cfloat32); a cube holds real numbers");
  TiffCube classes;
  classes.type = GDT_Byte;
  classes.bands = 1;
  classes.describe = [](GDALDataset& dataset) {
    GDALColorTable colours;
    const GDALColorEntry red{255, 0, 0, 255};
    colours.SetColorEntry(1, &red);
    dataset.GetRasterBand(1)->SetColorTable(&colours);
  };
  test::write_tiff_cube(dir / "classes.tif", classes, [](int, int, int) { return 1.0; });
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "classes.tif"), InputError,
                           "classes.tif: is a class map (one band with a colour table), not a cube");
}

}  // namespace
}  // namespace hyperdefect::io
