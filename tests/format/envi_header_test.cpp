// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/envi_header.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "support/envi_files.h"
#include "support/expect_error.h"

namespace hyperdefect::format {
namespace {

using test::distinct_value;
using test::RawCube;
using test::TempDir;
using test::write_bytes;

EnviHeader parsed(const std::string& text) {
  return parse_envi_header(text, "scan.hdr");
}

TEST(EnviHeader, ReadsKeysInAnyCaseWithTabsAndWindowsLineEnds) {
  const auto header = parsed("ENVI\r\nSAMPLES\t=  3\r\nData   Type = 12\r\n");
  EXPECT_EQ(header.integer("samples", 1), 3);
  EXPECT_EQ(header.integer("data type", 1), 12);
}

TEST(EnviHeader, ReadsListsOverSeveralLinesWithCommentsBetween) {
  const auto header =
      parsed("ENVI\n; by a camera\nwavelength = {\n 400.5,\n; half way\n 500 ,600,\n}\nbands = 3\n");
  EXPECT_EQ(header.numbers("wavelength"), (std::vector<double>{400.5, 500, 600}));
  EXPECT_EQ(header.integer("bands", 1), 3);
}

TEST(EnviHeader, ReadsNumbersAsTheyAreWritten) {
  const auto header = parsed("ENVI\nbbl = {1.0, 0, +1, 1e0}\nscale = 1.5E+02\n");
  EXPECT_EQ(header.numbers("bbl"), (std::vector<double>{1, 0, 1, 1}));
  EXPECT_EQ(header.number("scale"), 150);
  EXPECT_EQ(header.number("missing"), std::nullopt);
}

TEST(EnviHeader, TakesNumbersBeyondFloat64ForInfiniteOrZero) {
  const auto number = [](const std::string& text) { return parsed("ENVI\nx = " + text + "\n").number("x"); };
  EXPECT_EQ(number("-1.8e+308"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(number("+1e400"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(number("1e-400"), 0);
  HYPERDEFECT_EXPECT_ERROR(number("1e400 m"), InputError, "is not a number");
}

TEST(EnviHeader, KeepsEqualSignsAndBracesOfFreeText) {
  const auto header = parsed("ENVI\ndescription = {a = b\nc}\nband names = {red, green}\n");
  EXPECT_EQ(header.text("description"), "a = b\nc");
  EXPECT_EQ(header.words("band names"), (std::vector<std::string>{"red", "green"}));
}

TEST(EnviHeader, TakesAKeyWithoutValueForNotStated) {
  const auto header = parsed("ENVI\nlines =\nfwhm = {}\nbbl = {\n \n}\nbands = {\n3}\nbands =\n");
  for (const auto* key : {"lines", "fwhm", "bbl"}) {
    EXPECT_FALSE(header.has(key)) << key;
    EXPECT_EQ(header.number(key), std::nullopt) << key;
    EXPECT_TRUE(header.numbers_per_band(key, 3).empty()) << key;
  }
  EXPECT_EQ(header.integer("bands", 1), 3);
  HYPERDEFECT_EXPECT_ERROR(header.integer("lines", 1), InputError, "scan.hdr: the key 'lines' is missing");
}

TEST(EnviHeader, RefusesKeysThatSayTwoThings) {
  const auto header =
      parsed("ENVI\nbands = 2\nlines = 3\nBands = 3\nlines = 3\nsamples = {4} 5\nbbl = {1}}\n");
  HYPERDEFECT_EXPECT_ERROR(header.integer("bands", 1), InputError,
                           "scan.hdr line 4: bands has another value on line 2; remove one of the two lines");
  EXPECT_EQ(header.integer("lines", 1), 3);
  HYPERDEFECT_EXPECT_ERROR(header.integer("samples", 1), InputError,
                           "scan.hdr line 6: samples: '5' comes after the closing }; remove it");
  HYPERDEFECT_EXPECT_ERROR(header.numbers("bbl"), InputError, "line 7: bbl: '}' comes after the closing }");
}

TEST(EnviHeader, RefusesBytesThatAreNoText) {
  HYPERDEFECT_EXPECT_ERROR(parsed(std::string("ENVI\nbands = 2\0\n", 16)), InputError,
                           "scan.hdr: byte 15 is zero, so this is not a text file");
}

TEST(EnviHeader, RefusesAFileThatIsTooLargeForAHeader) {
  const TempDir dir;
  write_bytes(dir / "scan.hdr", "ENVI\n");
  std::filesystem::resize_file(dir / "scan.hdr", (std::uintmax_t{1} << 26) + 1);
  HYPERDEFECT_EXPECT_ERROR(read_envi_header(dir / "scan.hdr"), InputError,
                           "scan.hdr: has 67108865 bytes; a header may have at most 67108864");
}

/// Ten times the lines may take some thirty times as long on a busy machine, but not a hundred times.
TEST(EnviHeader, TakesTimeInProportionToItsLength) {
  const auto seconds = [](std::size_t lines, const std::string& end) {
    const auto text = "ENVI\nnotes = {\n" + std::string(lines, '\n') + end;
    const auto begin = std::chrono::steady_clock::now();
    try {
      parsed(text);
    } catch (const InputError&) {
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  for (const std::string end : {"}\n", ""}) {
    seconds(1000, end);
    EXPECT_LT(seconds(1000000, end), 30 * seconds(100000, end) + 0.05);
    EXPECT_LT(seconds(1000000, end), 5);
  }
}

TEST(EnviHeader, RefusesNumbersThatAreNotFinite) {
  const auto header =
      parsed("ENVI\nsamples = nan\nlines = inf\nbands = 1e300\nfwhm = {1, nan}\nbbl = {-inf}\n");
  for (const auto* key : {"samples", "lines", "bands"}) {
    HYPERDEFECT_EXPECT_ERROR(header.integer(key, 1), InputError, "it must be a whole number from 1 to");
  }
  HYPERDEFECT_EXPECT_ERROR(
      header.numbers("fwhm"), InputError,
      "scan.hdr line 5: fwhm: entry 2, 'nan', is not finite; correct it, or remove the list");
  HYPERDEFECT_EXPECT_ERROR(header.numbers("bbl"), InputError, "entry 1, '-inf', is not finite");
  EXPECT_TRUE(std::isnan(*parsed("ENVI\ndata ignore value = NaN\n").number("data ignore value")));
}

/// What check_overlooked_keys() writes for these lines.
std::string warnings_for(const std::string& lines) {
  testing::internal::CaptureStderr();
  check_overlooked_keys(parsed("ENVI\n" + lines));
  return testing::internal::GetCapturedStderr();
}

TEST(EnviKeys, NamesNearMisses) {
  const std::vector<std::pair<std::string, std::string>> misses{
      {"wavelengths", "wavelength"},
      {"wave length", "wavelength"},
      {"wavelenght", "wavelength"},
      {"center wavelengths", "wavelength"},
      {"wavelength_units", "wavelength units"},
      {"wavelength unit", "wavelength units"},
      {"fwhms", "fwhm"},
      {"bad bands", "bbl"},
      {"bad band list", "bbl"},
      {"data_ignore_value", "data ignore value"},
      {"data-ignore-value", "data ignore value"},
      {"Data Ignore Values", "data ignore value"},
      {"no data value", "data ignore value"},
      {"data gain value", "data gain values"},
      {"data_offset_values", "data offset values"},
      {"reflectance_scale_factor", "reflectance scale factor"},
      {"scale factor", "reflectance scale factor"},
      {"bandnames", "band names"},
      {"mapinfo", "map info"},
      {"sample", "samples"},
  };
  for (const auto& [key, meant] : misses) {
    const auto expected = text::concat("scan.hdr line 2: unknown key '", text::lower(key),
                                       "' is ignored; did you mean '", meant, "'?");
    EXPECT_NE(warnings_for(key + " = 1\n").find(expected), std::string::npos) << warnings_for(key + " = 1\n");
    EXPECT_EQ(warnings_for(key + " = 1\n" + meant + " = 1\n"), "") << key;
  }
}

TEST(EnviKeys, StaysSilentAboutKeysOfCamerasAndPrograms) {
  for (const auto* key : {"default bands",
                          "sensor type",
                          "file type",
                          "fps",
                          "tint1",
                          "binning",
                          "himg",
                          "vroi",
                          "fodis",
                          "errors",
                          "temperature",
                          "material",
                          "other info",
                          "Start Time",
                          "acquisition date",
                          "calibration scale factor",
                          "radiance scale factor",
                          "radiance gain file",
                          "class names",
                          "class lookup",
                          "gain",
                          "exposure",
                          "x start",
                          "data reflectance gain values",
                          "sensorid",
                          "band bad pixel map",
                          "timestamp",
                          "solar irradiance"}) {
    EXPECT_EQ(warnings_for(text::concat(key, " = {1, 2}\n")), "");
  }
}

TEST(EnviKeys, RefusesNearMissesThatDecideWhereTheValuesLie) {
  const auto refused = [](const std::string& lines, const std::string& message) {
    HYPERDEFECT_EXPECT_ERROR(check_overlooked_keys(parsed("ENVI\n" + lines)), InputError, message);
  };
  for (const auto* key : {"byteorder", "byte_order", "byte-order", "byte oder", "byte orders"}) {
    refused(text::concat(key, " = 1\n"),
            text::concat("scan.hdr line 2: unknown key '", key,
                         "'; if 'byte order' is meant, write it like that; otherwise rename the key"));
  }
  refused("header_offset = 16\n", "if 'header offset' is meant, write it like that");
  refused("notes\nbyte order: 1\n",
          "scan.hdr line 3: 'byte order: 1' is not of the form `key = value`, so 'byte order' is not stated; "
          "write it as");
  refused("header offset 16\n", "so 'header offset' is not stated");
  refused("notes = {old\nbyte order = 1\nbands = {2}\n",
          "scan.hdr line 3: 'byte order = 1' is inside the list 'notes', so 'byte order' is not stated; add "
          "the missing } before it");
  EXPECT_NE(warnings_for("byte_order = 0\n").find("did you mean 'byte order'?"), std::string::npos);
  EXPECT_EQ(warnings_for("notes = {old\nbyte order = 1\n}\nbyte order = 0\n"), "");
}

TEST(EnviKeys, RefusesAValueOnTheNextLine) {
  for (const std::string key : {"byte order", "header offset", "data type", "interleave", "samples", "lines",
                                "bands", "data ignore value", "reflectance scale factor", "bbl"}) {
    for (const auto* between : {"\n", "\n\n", "\n; a comment\n", " {}\n"}) {
      HYPERDEFECT_EXPECT_ERROR(
          check_overlooked_keys(parsed(text::concat("ENVI\n", key, " =", between, "1\n"))), InputError,
          text::concat(": the value of '", key, "' is on the next line: write it after the ="));
    }
    EXPECT_EQ(warnings_for(key + " =\nnotes = 1\n"), "");
  }
  EXPECT_NE(warnings_for("byte order =\n1\nbyte order = 1\n").find("is not of the form `key = value`"),
            std::string::npos);
}

TEST(EnviKeys, NamesTheFirstLineThatStatesNothing) {
  const auto said = warnings_for("a line of text\nanother one\nlines = 2\n");
  EXPECT_NE(said.find("scan.hdr line 2: 'a line of text' is not of the form `key = value` and is ignored"),
            std::string::npos)
      << said;
  EXPECT_EQ(said.find("another"), std::string::npos) << said;
}

TEST(EnviKeys, HoldsTheNameOfAListOnceForAllItsLines) {
  std::string lines = std::string(1000000, 'k') + " = {\n";
  for (int i = 0; i < 1000; ++i) {
    lines += "a = b\n";
  }
  std::size_t bytes = 0;
  const auto header = parsed("ENVI\n" + lines + "}\n");
  for (const auto& line : header.overlooked()) {
    bytes += line.list.size() + line.text.size();
  }
  EXPECT_LT(bytes, lines.size());
}

TEST(EnviHeader, RefusesWhatDoesNotBeginWithEnvi) {
  HYPERDEFECT_EXPECT_ERROR(parsed("\xEF\xBB\xBF"
                                  "ENVI\n"),
                           InputError, "scan.hdr: a byte order mark comes before ENVI");
  HYPERDEFECT_EXPECT_ERROR(parsed("\nENVI\n"), InputError,
                           "the first line must be exactly ENVI; remove the blanks");
  HYPERDEFECT_EXPECT_ERROR(parsed(" ENVI\n"), InputError,
                           "the first line must be exactly ENVI; remove the blanks");
  HYPERDEFECT_EXPECT_ERROR(parsed("BYTEORDER I\nNROWS 7\nNCOLS 7\n"), InputError,
                           "scan.hdr: is an ESRI header, not an ENVI header");
  HYPERDEFECT_EXPECT_ERROR(parsed("hello\n"), InputError,
                           "scan.hdr: is not an ENVI header: its first line is 'hello', not ENVI");
  HYPERDEFECT_EXPECT_ERROR(parsed(""), InputError, "is not an ENVI header");
}

TEST(EnviHeader, NamesTheLineOfAListThatIsNotClosed) {
  HYPERDEFECT_EXPECT_ERROR(parsed("ENVI\nbands = 2\nwavelength = {400,\n500\n"), InputError,
                           "scan.hdr line 3: the list 'wavelength' is not closed; add the missing }");
}

TEST(EnviHeader, NoticesAListThatSwallowedTheNextOne) {
  const auto header = parsed("ENVI\nwavelength = {400, 500\nfwhm = {10, 20}\n");
  HYPERDEFECT_EXPECT_ERROR(
      header.numbers("wavelength"), InputError,
      "scan.hdr line 2: wavelength: entry 3, 'fwhm', is not a number; is the list's closing }");
}

TEST(EnviHeader, ComparesTheCountOfAListWithTheBands) {
  const auto header = parsed("ENVI\nfwhm = {10, 20}\n");
  EXPECT_EQ(header.numbers_per_band("fwhm", 2).size(), 2U);
  EXPECT_TRUE(header.numbers_per_band("wavelength", 2).empty());
  HYPERDEFECT_EXPECT_ERROR(header.numbers_per_band("fwhm", 3), InputError,
                           "scan.hdr line 2: fwhm has 2 entries for 3 bands; it must have one per band");
}

TEST(EnviHeader, RefusesSizesThatAreNone) {
  const auto header = parsed("ENVI\nlines = -3\nsamples = 2.5\nbands = many\n");
  HYPERDEFECT_EXPECT_ERROR(header.integer("lines", 1), InputError,
                           "scan.hdr line 2: lines = -3: it must be a whole number from 1 to 2147483647");
  HYPERDEFECT_EXPECT_ERROR(header.integer("samples", 1), InputError,
                           "line 3: samples = 2.5: it must be a whole");
  HYPERDEFECT_EXPECT_ERROR(header.integer("bands", 1), InputError, "line 4: bands = 'many' is not a number");
  HYPERDEFECT_EXPECT_ERROR(header.integer("data type", 1), InputError,
                           "scan.hdr: the key 'data type' is missing");
}

TEST(EnviLayout, CountsTheBytesOfTheFile) {
  RawCube cube;
  cube.offset = 32;
  const auto layout = envi_layout(parsed(cube.header()));
  EXPECT_EQ(layout.file_bytes(), 32 + 2 * 3 * 4 * 2);
  EXPECT_EQ(layout.data_type, "uint16");
  EXPECT_EQ(layout.interleave, Interleave::bsq);
  EXPECT_FALSE(layout.big_endian);
}

std::string layout_error(const std::string& from, const std::string& to) {
  auto text = RawCube().header();
  const auto at = text.find(from);
  text.replace(at, from.size(), to);
  return test::message_of<InputError>([&] { envi_layout(parsed(text)); });
}

TEST(EnviLayout, RefusesWhatIsNoCube) {
  EXPECT_EQ(layout_error("ENVI Standard", "ENVI Spectral Library"),
            "scan.hdr: is a spectral library, not a cube");
  EXPECT_EQ(layout_error("ENVI Standard", "ENVI Classification"),
            "scan.hdr: is a classification map, not a cube");
  EXPECT_EQ(layout_error("data type = 12", "data type = 6"),
            "scan.hdr: data type = 6 (complex) is not supported: it must be 1, 2, 3, 4, 5, 12 or 13 (real "
            "numbers; integers of at most 32 bits)");
  EXPECT_NE(layout_error("data type = 12", "data type = 14").find("14 (64 bit) is not supported"),
            std::string::npos);
  EXPECT_EQ(layout_error("interleave = bsq", "interleave = bsx"),
            "scan.hdr line 8: interleave = 'bsx' is not known: it must be bsq, bil or bip");
  EXPECT_EQ(layout_error("byte order = 0", "byte order = 2"),
            "scan.hdr line 9: byte order = 2: it must be 0 (little-endian) or 1 (big-endian)");
  EXPECT_NE(layout_error("byte order = 0", "file compression = 1").find("unpack the data file"),
            std::string::npos);
  EXPECT_NE(layout_error("samples = 3\nlines = 2\nbands = 4",
                         "samples = 2000000000\nlines = 2000000000\nbands = 65536")
                .find("any file can hold"),
            std::string::npos);
  EXPECT_EQ(layout_error("bands = 4", "bands = 65537"),
            "scan.hdr line 4: bands = 65537: at most 65536 can be read");
  EXPECT_EQ(
      layout_error("byte order = 0", "major frame offsets = {0, 8}"),
      "scan.hdr line 9: major frame offsets: data with bytes between the frames cannot be read; write the "
      "cube again without them");
}

/// Whatever stands where a header is wrong, the message is one line that a screen can show.
TEST(EnviLayout, QuotesAnyValueOnOneLine) {
  const auto cut = std::string(59, 'a') + "\xC3\xBC";
  for (const auto& value : {std::string("{a\nb}"), std::string("a\x1b[2J"), std::string("a\xfc"), cut,
                            cut + cut, std::string(100000, 'a')}) {
    for (const std::string key : {"samples", "data type", "interleave", "byte order", "header offset",
                                  "file compression", "major frame offsets"}) {
      auto header = RawCube().header();
      if (const auto at = header.find(key + " ="); at != std::string::npos) {
        header.erase(at, header.find('\n', at) + 1 - at);
      }
      const auto message = test::message_of<InputError>(
          [&] { envi_layout(parsed(text::concat(header, key, " = ", value, '\n'))); });
      EXPECT_EQ(text::printable(message), message) << key;
      EXPECT_LT(message.size(), 500U) << key;
    }
  }
}

/// A header for 48 bytes of data, and files beside it: names, and what they hold.
class EnviFiles : public ::testing::Test {
 protected:
  void SetUp() override { write_bytes(dir_ / "scan.hdr", RawCube().header()); }

  std::filesystem::path write(const std::string& name, const std::string& bytes) {
    write_bytes(dir_ / name, bytes);
    return dir_ / name;
  }

  std::filesystem::path data() { return find_envi_data(dir_ / "scan.hdr"); }

  TempDir dir_;
  std::string whole_ = RawCube().bytes<std::uint16_t>(distinct_value);
  std::string other_ = std::string("\0\1\2", 3);
};

TEST_F(EnviFiles, DataMayHaveAnyExtensionOrNone) {
  for (const auto* name :
       {"scan", "scan.img", "scan.envi", "scan.ENVI", "scan.hsi", "scan.001", "scan.tif", "scan.png"}) {
    const auto file = write(name, whole_);
    EXPECT_EQ(data(), file);
    EXPECT_EQ(find_envi_header(file), dir_ / "scan.hdr") << name;
    std::filesystem::remove(file);
  }
}

TEST_F(EnviFiles, TheFileOfTheRightSizeIsTheData) {
  write("scan.bad", other_);
  write("scan.gps", other_);
  {
    const auto file = write("scan.cub", whole_);
    EXPECT_EQ(data(), file);
  }
  EXPECT_EQ(find_envi_header(dir_ / "scan.gps"), std::nullopt);
  {
    const auto file = write("scan.raw", whole_);
    EXPECT_EQ(data(), file) << "the usual extension counts before others";
  }
  std::filesystem::remove(dir_ / "scan.raw");
  {
    const auto file = write("scan", whole_);
    EXPECT_EQ(data(), file) << "the name without extension counts before all";
  }
  write("scan", other_);
  EXPECT_EQ(data(), dir_ / "scan.cub") << "unless its size is wrong";
}

TEST_F(EnviFiles, UsualExtensionsCountWhereNoSizeIsRight) {
  write("scan.gps", other_);
  write("scan.img", other_);
  EXPECT_EQ(data(), dir_ / "scan.img");
  write("scan.dat", other_);
  HYPERDEFECT_EXPECT_ERROR(data(), InputError, "scan.hdr: both scan.dat and scan.img could be its data file");
  EXPECT_EQ(find_envi_header(dir_ / "scan.dat"), dir_ / "scan.hdr") << "so that the data file can be given";
}

TEST_F(EnviFiles, SidecarsPicturesAndTextsAreNoData) {
  write("scan.png", "\x89PNG\r\n\x1A\n..");
  write("scan.jpg", "\xFF\xD8\xFF\xE0..");
  write("scan.txt", "notes of the day");
  write("scan.json", "{}");
  write("scan.xml", "<?xml version='1.0'?><a/>");
  write("scan.enp", other_);
  write("scan.ovr", std::string("II*\0", 4));
  write("scan.img.aux.xml", "<PAMDataset/>");
  write("scan.zip", "PK\3\4...");
  write("scan.lock", "");
  write("scan.raw", whole_);
  write("scan.raw.hdr", RawCube().header());
  HYPERDEFECT_EXPECT_ERROR(data(), InputError,
                           "scan.hdr: scan.raw has a header of its own, scan.raw.hdr: give scan.raw");
  EXPECT_EQ(find_envi_header(dir_ / "scan.png"), std::nullopt);
}

TEST_F(EnviFiles, ATiffHasTheHeaderUnlessRawDataHaveIt) {
  const auto tiff = write("scan.tif", std::string("II*\0\x08\0\0\0", 8));
  EXPECT_EQ(find_envi_header(tiff), dir_ / "scan.hdr");
  EXPECT_EQ(data(), tiff);
  {
    const auto file = write("scan.img", whole_);
    EXPECT_EQ(data(), file);
  }
  EXPECT_EQ(find_envi_header(tiff), std::nullopt);
}

TEST(FindEnviHeader, PrefersTheHeaderThatKeepsTheExtension) {
  const TempDir dir;
  for (const auto* name : {"a.img", "a.hdr", "a.img.hdr", "b.img", "b.HDR", "c", "c.hdr", "d.txt", "d.hdr"}) {
    write_bytes(dir / name, "x");
  }
  EXPECT_EQ(find_envi_header(dir / "a.img"), dir / "a.img.hdr");
  EXPECT_EQ(find_envi_header(dir / "b.img"), dir / "b.HDR");
  EXPECT_EQ(find_envi_header(dir / "c"), dir / "c.hdr");
  EXPECT_EQ(find_envi_header(dir / "d.txt"), std::nullopt);
}

TEST(FindEnviData, FindsTheFileThatTheHeaderDescribes) {
  const TempDir dir;
  for (const auto* name :
       {"a", "a.hdr", "b.bil", "b.hdr", "c.img", "c.img.hdr", "c.hdr", "d.img", "d.raw", "d.hdr"}) {
    write_bytes(dir / name, "x");
  }
  EXPECT_EQ(find_envi_data(dir / "a.hdr"), dir / "a");
  EXPECT_EQ(find_envi_data(dir / "b.hdr"), dir / "b.bil");
  EXPECT_EQ(find_envi_data(dir / "c.img.hdr"), dir / "c.img");
  HYPERDEFECT_EXPECT_ERROR(find_envi_data(dir / "c.hdr"), InputError,
                           "c.hdr: c.img has a header of its own, c.img.hdr: give c.img");
  HYPERDEFECT_EXPECT_ERROR(find_envi_data(dir / "d.hdr"), InputError,
                           "d.hdr: both d.img and d.raw could be its data file; give the data file instead");
}

}  // namespace
}  // namespace hyperdefect::format
