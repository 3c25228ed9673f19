// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/cube_info.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "support/envi_files.h"
#include "support/expect_error.h"
#include "support/tiff_files.h"

namespace hyperdefect::format {
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
        info_with(text::concat(unit, "wavelength = {1000, 2000, 2500, 4000}\nfwhm = {1, 1, 1, 8}\n"));
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
  options.wavelength_unit = spectral::WavelengthUnit::um;
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
  EXPECT_NE(index.find("have the unit 'Index', which is not a length; the cube is read without them"),
            std::string::npos)
      << index;
  const auto zero = printed([] {
    EXPECT_TRUE(info_with("wavelength = {0, 0, 0, 0}\nwavelength units = nm\n").bands.wavelengths_nm.empty());
  });
  EXPECT_NE(zero.find("are not all positive"), std::string::npos) << zero;
  EXPECT_TRUE(info_with("wavelength = {1, 2, 3, 4}\n").bands.wavelengths_nm.empty());
}

TEST(CubeInfo, DoesWithoutWavelengthsThatNanometresCannotGive) {
  for (const std::string lines :
       {"wavelength = {1, 2, 3, 1e308}\nwavelength units = m\n",
        "wavelength = {1, 2, 3, 5e-324}\nwavelength units = Angstroms\n",
        "wavelength = {1e4, 2e4, 3e4, 1e-310}\nwavelength units = Wavenumber\n",
        "wavelength = {1, 2, 3, 4}\nfwhm = {1, 1, 1, 1e308}\nwavelength units = m\n"}) {
    const auto said = printed([&] {
      const auto bands = info_with(lines).bands;
      EXPECT_TRUE(bands.wavelengths_nm.empty() && bands.fwhm_nm.empty()) << lines;
    });
    EXPECT_NE(said.find("cannot be given in nanometres; the cube is read without them"), std::string::npos)
        << said;
  }
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
  EXPECT_NE(both.find("scale factor 100 is not"), std::string::npos) << both;
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
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "scan.img"), InputError,
                           "scan.img: is truncated: it has 40 bytes, but its header scan.hdr describes 48 (0 "
                           "+ 2 lines x 3 samples x 4 bands x 2)");
  write_bytes(dir / "scan.img", bytes + "tail");
  const auto said = printed([&] { read_cube_info(dir / "scan.img"); });
  EXPECT_NE(said.find("has 52 bytes, but its header scan.hdr describes 48"), std::string::npos) << said;
}

TEST(CubeInfo, RefusesListsThatDoNotFitTheBands) {
  for (const std::string key : {"wavelength", "data gain values", "data offset values"}) {
    HYPERDEFECT_EXPECT_ERROR(
        info_with(key + " = {1, 2, 3}\n"), InputError,
        "scan.hdr line 10: " + key + " has 3 entries for 4 bands; it must have one per band");
  }
}

TEST(CubeInfo, LeavesOutListsOfAWrongLengthThatTheCubeCanDoWithout) {
  for (const std::string key : {"fwhm", "bbl", "band names"}) {
    CubeInfo info;
    const auto said = printed([&] {
      info = info_with("wavelength units = nm\nwavelength = {4, 5, 6, 7}\n" + key + " = {1, 0, 3}\n");
    });
    EXPECT_NE(said.find("scan.hdr line 12: " + key + " has 3 entries for 4 bands; the "), std::string::npos)
        << said;
    EXPECT_EQ(info.bands.wavelengths_nm, (std::vector<double>{4, 5, 6, 7}));
    EXPECT_TRUE(info.bands.fwhm_nm.empty());
    EXPECT_TRUE(info.bands.good.empty());
    EXPECT_TRUE(info.band_names.empty());
  }
}

TEST(CubeInfo, TakesAKeyWithoutValueForNotStated) {
  for (const std::string key :
       {"wavelength", "fwhm", "bbl", "data gain values", "data offset values", "data ignore value",
        "reflectance scale factor", "band names", "map info", "wavelength units", "file compression"}) {
    for (const std::string value : {"", " {}", " { }", " {\n}"}) {
      CubeInfo info;
      EXPECT_EQ(printed([&] { info = info_with(key + " =" + value + "\n"); }), "") << key;
      EXPECT_EQ(info.no_data, std::nullopt);
      EXPECT_TRUE(info.scale.empty() && info.offset.empty() && info.bands.good.empty());
      EXPECT_TRUE(info.bands.wavelengths_nm.empty() && info.georeference.empty());
    }
  }
}

TEST(CubeInfo, RefusesNumbersThatAreNotFinite) {
  for (const std::string key : {"wavelength", "fwhm", "bbl", "data gain values", "data offset values"}) {
    for (const std::string value : {"nan", "inf", "-inf"}) {
      HYPERDEFECT_EXPECT_ERROR(info_with(key + " = {1, 2, " + value + ", 4}\n"), InputError,
                               "scan.hdr line 10: " + key + ": entry 3, '" + value + "', is not finite");
    }
  }
  HYPERDEFECT_EXPECT_ERROR(info_with("reflectance scale factor = 1e-310\n"), InputError,
                           "scan.img: the scale of band 0 (counted from 0) is inf");
  HYPERDEFECT_EXPECT_ERROR(info_with("reflectance scale factor = nan\n"), InputError,
                           "reflectance scale factor = nan: it must be a positive number");
}

TEST(CubeInfo, NamesKeysThatItDoesNotKnow) {
  const auto said = printed([] { info_with("wavelengths = {1, 2, 3, 4}\n"); });
  EXPECT_NE(said.find("scan.hdr line 10: unknown key 'wavelengths' is ignored; did you mean 'wavelength'?"),
            std::string::npos)
      << said;
}

TEST(CubeInfo, CarriesTheGeoreferenceHoweverItIsSpelt) {
  for (const auto& map_info : std::vector<std::string>{
           "  map info = {UTM, 1, 1, 500000, 5800000, 30, 20, 33, North, WGS-84}\n",
           "Map  Info = {UTM, 1, 1, 500000,\n 5800000, 30, 20, 33, North, WGS-84}\n",
           "notes = {" + std::string(12000, 'n') +
               "}\nmap\tinfo = {UTM, 1, 1, 500000, 5800000, 30, 20, 33, North, WGS-84}\n"}) {
    const auto info = info_with(map_info);
    ASSERT_TRUE(info.georeference.transform.has_value()) << map_info;
    EXPECT_EQ(*info.georeference.transform, (std::array<double, 6>{500000, 30, 0, 5800000, 0, -20}));
    EXPECT_NE(info.georeference.wkt.find("Transverse_Mercator"), std::string::npos);
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
        "lonely.hdr: the header's data file is missing: neither lonely nor a data file lonely.img, .dat");
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "raw.img"), InputError,
                             "raw.img: is not an image that can be read, and there is no ENVI header "
                             "(raw.img.hdr or raw.hdr) next to it");
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "marked.img"), InputError,
                             "marked.hdr: a byte order mark comes before ENVI");
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

/// A TIFF of 20 rows, 18 columns and 3 bands with a header beside it, and what is read of it.
CubeInfo tiff_with_header(const std::string& data, const std::string& header, const std::string& text,
                          const std::function<void(GDALDataset&)>& describe = nullptr) {
  const TempDir dir;
  TiffCube cube;
  cube.describe = describe;
  test::write_tiff_cube(dir / "made.tif", cube, plain);
  std::filesystem::rename(dir / "made.tif", dir / data);
  write_bytes(dir / header, text);
  const auto info = read_cube_info(dir / data);
  EXPECT_EQ(read_cube_info(dir / header).path, dir / data) << "by its header";
  return info;
}

/// All values of the band would be the same, and a defect in it could not be seen.
TEST(CubeInfo, AScaleOfZeroIsRefused) {
  HYPERDEFECT_EXPECT_ERROR(info_with("data gain values = {1, 1, 0, 1}\n"), InputError,
                           "the scale of band 2 (counted from 0) is 0 or not a number");
  const TempDir dir;
  TiffCube cube;
  cube.describe = [](GDALDataset& dataset) { dataset.GetRasterBand(2)->SetScale(0); };
  write_tiff_cube(dir / "scan.tif", cube, distinct_value);
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "scan.tif"), InputError,
                           "the scale of band 1 (counted from 0)");
}

/// A unit that is wrong by a thousand would silently move every band.
TEST(CubeInfo, WavelengthsOfNoSpectrometerAreNamed) {
  for (const auto* axis :
       {"wavelength = {450, 550, 650, 950}\nwavelength units = Micrometers\n",
        "wavelength = {0.45, 0.55, 0.65, 0.95}\nwavelength units = Nanometers\n",
        "wavelength = {450, 550, 650, 950}\nwavelength units = Wavenumber\nfwhm = {1, 1, 1, 1}\n"}) {
    const bool is_usual = std::string_view(axis).find("Wavenumber") != std::string_view::npos;
    const auto said = printed([&] { info_with(axis); });
    EXPECT_EQ(said.find("nm, which no spectrometer covers: the unit ") == std::string::npos, is_usual)
        << said;
  }
}

TEST(CubeInfo, ATiffIsATiffWhateverItsNameAndWhateverLiesBesideIt) {
  const std::string axis =
      "wavelength units = nm\nwavelength = {500, 600, 700}\nfwhm = {5, 6, 7}\nbbl = {1, 0, 1}\n";
  RawCube raw;
  raw.rows = 20;
  raw.cols = 18;
  raw.bands = 3;
  for (const auto& [data, header] :
       std::vector<std::pair<std::string, std::string>>{{"scan.tif", "scan.tif.hdr"},
                                                        {"scan.tif", "scan.hdr"},
                                                        {"scan.img", "scan.hdr"},
                                                        {"scan", "scan.hdr"},
                                                        {"scan.xyz", "scan.hdr"}}) {
    for (const auto& text :
         {raw.header() + axis, "ENVI\nfile type = TIFF\nsamples = 18\nlines = 20\nbands = 3\n" + axis,
          "ENVI\n" + axis}) {
      SCOPED_TRACE(data + " " + header);
      CubeInfo info;
      EXPECT_EQ(printed([&] { info = tiff_with_header(data, header, text); }), "");
      EXPECT_EQ(info.driver, "GTiff");
      EXPECT_EQ(info.header.filename(), header);
      EXPECT_EQ(info.size(), (Size{20, 18}));
      EXPECT_EQ(info.bands.wavelengths_nm, (std::vector<double>{500, 600, 700}));
      EXPECT_EQ(info.bands.fwhm_nm, (std::vector<double>{5, 6, 7}));
      EXPECT_EQ(info.bands.good, (std::vector<bool>{true, false, true}));
      EXPECT_EQ(info.wavelength_source, "ENVI header");
    }
  }
}

TEST(CubeInfo, AHeaderAddsWhatATiffDoesNotSay) {
  const auto text =
      "ENVI\nbands = 3\ndata ignore value = 7\nband names = {a, b, c}\ndata gain values = {2, 2, 2}\n";
  const auto plain_tiff = tiff_with_header("scan.tif", "scan.hdr", text);
  EXPECT_EQ(plain_tiff.no_data, 7);
  EXPECT_EQ(plain_tiff.band_names.at(2), "c");
  EXPECT_EQ(plain_tiff.scale.at(0), 2);
  const auto stated = tiff_with_header("scan.tif", "scan.hdr", text, [](GDALDataset& dataset) {
    dataset.GetRasterBand(1)->SetNoDataValue(9);
    dataset.GetRasterBand(1)->SetScale(0.5);
    dataset.GetRasterBand(1)->SetDescription("own");
    for (int band = 1; band <= 3; ++band) {
      dataset.GetRasterBand(band)->SetMetadataItem("wavelength", text::concat(band, "00").c_str());
      dataset.GetRasterBand(band)->SetMetadataItem("wavelength_units", "nm");
    }
  });
  EXPECT_EQ(stated.no_data, 9);
  EXPECT_EQ(stated.band_names.at(0), "own");
  EXPECT_EQ(stated.scale.at(0), 0.5);
  EXPECT_EQ(stated.bands.wavelengths_nm, (std::vector<double>{100, 200, 300}));
}

TEST(CubeInfo, AHeaderOfAnotherCubeIsLeftOutOfATiff) {
  CubeInfo info;
  const auto said = printed([&] {
    info = tiff_with_header("scan.tif", "scan.hdr",
                            "ENVI\nbands = 2\nwavelength = {400, 500}\nwavelength units = nm\n");
  });
  EXPECT_NE(said.find("scan.tif: has 3 bands, but its header scan.hdr describes 2; the header is left out"),
            std::string::npos)
      << said;
  EXPECT_TRUE(info.bands.wavelengths_nm.empty());
  EXPECT_TRUE(info.header.empty());
  HYPERDEFECT_EXPECT_ERROR(
      tiff_with_header("scan.tif", "scan.hdr", "ENVI\nfile type = ENVI Classification\n"), InputError,
      "scan.hdr: says that scan.tif is a ENVI Classification, not a cube");
}

TEST(CubeInfo, AHeaderOfAnotherSizeIsLeftOutOfATiff) {
  for (const auto* size : {"lines = 21\nsamples = 18\n", "lines = 20\nsamples = 17\n"}) {
    CubeInfo info;
    const auto said = printed([&] {
      info = tiff_with_header("scan.tif", "scan.hdr",
                              std::string("ENVI\nbands = 3\ndata ignore value = 7\n") + size);
    });
    EXPECT_NE(said.find("; the header is left out"), std::string::npos) << said;
    EXPECT_FALSE(info.no_data);
  }
}

TEST(CubeInfo, RawDataAreRawDataWhateverTheirName) {
  for (const auto* name : {"scan.tif", "scan.png", "scan.nc", "scan.json", "scan.envi", "scan.xyz", "scan"}) {
    const TempDir dir;
    write_raw_cube<std::uint16_t>(dir / name, {}, distinct_value);
    EXPECT_EQ(read_cube_info(dir / name).driver, "ENVI") << name;
    EXPECT_EQ(read_cube_info(dir / "scan.hdr").path, dir / name);
  }
}

TEST(CubeInfo, SaysWhoseHeaderItIs) {
  const TempDir dir;
  write_raw_cube<std::uint16_t>(dir / "scan.img", {}, distinct_value);
  write_bytes(dir / "scan.gps", std::string("\0\1\2", 3));
  HYPERDEFECT_EXPECT_ERROR(
      read_cube_info(dir / "scan.gps"), InputError,
      "scan.gps: is not an image that can be read, and is not the data file of scan.hdr, which is scan.img");
}

/// A file that GDAL would follow to another one.
void write_vrt(const std::filesystem::path& file, const std::filesystem::path& source) {
  write_bytes(
      file,
      text::concat("<VRTDataset rasterXSize=\"18\" rasterYSize=\"20\"><VRTRasterBand dataType=\"UInt16\" "
                   "band=\"1\"><SimpleSource><SourceFilename relativeToVRT=\"0\">",
                   source.string(),
                   "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
                   "</VRTDataset>"));
}

TEST(CubeInfo, OpensOnlyDriversThatReadTheNamedFileAlone) {
  const TempDir dir;
  test::write_tiff_cube(dir / "other.tif", {}, plain);
  for (const auto* name : {"scan.tif", "scan.img", "scan.vrt", "scan"}) {
    write_vrt(dir / name, dir / "other.tif");
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / name), InputError,
                             "is of the format VRT, which may refer to other files or to the network, and is "
                             "not opened; if you trust it, allow it with data.drivers=[VRT]");
  }
  write_bytes(
      dir / "wms.tif",
      "<GDAL_WMS><Service name=\"TMS\"><ServerUrl>http://127.0.0.1:9/</ServerUrl></Service></GDAL_WMS>");
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "wms.tif"), InputError, "allow it with data.drivers=[WMS]");
  write_bytes(dir / "x.txt", "notes");
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "x.txt"), InputError, "is not an image that can be read");
}

TEST(CubeInfo, OpensADriverThatTheUserNames) {
  const TempDir dir;
  test::write_tiff_cube(dir / "other.tif", {}, plain);
  write_vrt(dir / "scan.tif", dir / "other.tif");
  ReadOptions options;
  options.drivers = {"vrt"};
  const auto info = read_cube_info(dir / "scan.tif", options);
  EXPECT_EQ(info.driver, "VRT");
  EXPECT_EQ(info.size(), (Size{20, 18}));
  options.drivers = {"VRTT"};
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "scan.tif", options), ConfigError,
                           "data.drivers: 'VRTT' is not a raster driver of GDAL");
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "scan.tif", options), ConfigError, "did you mean VRT?");
}

TEST(CubeInfo, TakesNoNameForAConnection) {
  const TempDir dir;
  test::write_tiff_cube(dir / "scan.tif", {}, plain);
  for (const auto* name : {"GTIFF_DIR:1:scan.tif", "NETCDF:scan.nc:x", "vrt:scan.tif", "HDF5:scan"}) {
    std::filesystem::copy_file(dir / "scan.tif", dir / name);
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(dir.path());
    EXPECT_EQ(read_cube_info(name).driver, "GTiff") << name;
    std::filesystem::current_path(before);
  }
  for (const auto* name : {"/vsicurl/http://127.0.0.1:9/x.tif", "/vsizip/x.zip/x.tif", "vrt://x.tif"}) {
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(name), InputError, "there is no such file");
  }
}

TEST(CubeInfo, RefusesScalesOfATiffThatAreNotFinite) {
  HYPERDEFECT_EXPECT_ERROR(
      tiff_info([](GDALDataset& dataset) { dataset.GetRasterBand(2)->SetScale(std::nan("")); }), InputError,
      "scan.tif: the scale of band 1 (counted from 0) is nan; correct it in the file");
  HYPERDEFECT_EXPECT_ERROR(
      tiff_info([](GDALDataset& dataset) { dataset.GetRasterBand(3)->SetOffset(-INFINITY); }), InputError,
      "scan.tif: the offset of band 2 (counted from 0) is -inf");
}

TEST(CubeInfo, FindsWavelengthsOfATiffInEachPlace) {
  const auto imagery = tiff_info([](GDALDataset& dataset) {
    for (int b = 1; b <= 3; ++b) {
      dataset.GetRasterBand(b)->SetMetadataItem("CENTRAL_WAVELENGTH_UM", text::concat("0.", b + 3).c_str(),
                                                "IMAGERY");
      dataset.GetRasterBand(b)->SetMetadataItem("wavelength", "99");
    }
  });
  EXPECT_EQ(imagery.bands.wavelengths_nm, (std::vector<double>{400, 500, 600}));
  EXPECT_EQ(imagery.wavelength_source, "band metadata CENTRAL_WAVELENGTH_UM");

  const auto band = tiff_info([](GDALDataset& dataset) {
    for (int b = 1; b <= 3; ++b) {
      dataset.GetRasterBand(b)->SetMetadataItem("wavelength", text::concat(b, "00").c_str());
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
      "killed.tif: block (0, 1) of band 1 is missing; the file is incomplete (or sparse)");
}

TEST(CubeInfo, RefusesATiffThatEndsTooEarly) {
  const TempDir dir;
  test::write_tiff_cube(dir / "whole.tif", {}, plain);
  const auto bytes = test::read_bytes(dir / "whole.tif");
  write_bytes(dir / "cut.tif", std::string_view(bytes).substr(0, bytes.size() - 100));
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "cut.tif"), InputError, "extends beyond the end of the file");
  write_bytes(dir / "stub.tif", std::string_view(bytes).substr(0, 20));
  HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "stub.tif"), InputError,
                           "stub.tif: is TIFF by its content, but cannot be read: ");
}

TEST(CubeInfo, TakesNoOtherFormatForThePixelsOfAHeader) {
  const auto rest = std::string(4000, '\x05');
  const std::vector<std::pair<std::string, std::string>> files{
      {"BZh91AY&SY" + rest, "is bzip2 by its content"},
      {"MATLAB 5.0 MAT-file" + rest, "is MATLAB by its content"},
      {"\x93NUMPY" + rest, "is NumPy by its content"},
      {"\x28\xB5\x2F\xFD" + rest, "is Zstandard by its content"},
      {std::string(1000, 'x'), "is text, not the 48 bytes of pixels that scan.img.hdr describes"},
      {RawCube().header(), "is text, not the 48 bytes of pixels"}};
  for (const auto& [bytes, message] : files) {
    const TempDir dir;
    write_bytes(dir / "scan.img", bytes);
    write_bytes(dir / "scan.img.hdr", RawCube().header());
    HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "scan.img"), InputError, message);
  }
}

TEST(CubeInfo, TakesPixelsThatBeginLikeAnotherFormatByTheirSize) {
  for (const std::string begin : {"PK\x03\x04", "GRIB", "a text "}) {
    for (const auto* header : {"scan.hdr", "scan.img.hdr"}) {
      const TempDir dir;
      write_bytes(dir / "scan.img", begin + std::string(48 - begin.size(), 'x'));
      write_bytes(dir / header, RawCube().header());
      EXPECT_EQ(read_cube_info(dir / "scan.img").driver, "ENVI") << begin;
    }
  }
}

TEST(CubeInfo, RefusesATiffOfSeveralPages) {
  for (const int bands : {1, 3}) {
    for (const int more : {1, 11}) {
      const TempDir dir;
      TiffCube cube;
      cube.bands = bands;
      test::write_tiff_cube(dir / "scan.tif", cube, plain);
      for (int page = 0; page < more; ++page) {
        test::append_page(dir / "scan.tif", bands);
      }
      HYPERDEFECT_EXPECT_ERROR(read_cube_info(dir / "scan.tif"), InputError,
                               text::concat("scan.tif: holds ", 1 + more,
                                            " images, one per page: write them as the bands of one image"));
    }
  }
}

TEST(CubeInfo, TakesOverviewsForNoPages) {
  const TempDir dir;
  test::write_tiff_cube(dir / "scan.tif", {}, plain);
  auto* dataset = static_cast<GDALDataset*>(GDALOpen((dir / "scan.tif").c_str(), GA_Update));
  int half = 2;
  EXPECT_EQ(dataset->BuildOverviews("NEAREST", 1, &half, 0, nullptr, nullptr, nullptr), CE_None);
  GDALClose(dataset);
  EXPECT_EQ(read_cube_info(dir / "scan.tif").bands.count, 3);
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
}  // namespace hyperdefect::format
