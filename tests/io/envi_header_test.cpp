// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/envi_header.h"

#include <gtest/gtest.h>

#include "hyperdefect/core/error.h"
#include "support/envi_files.h"
#include "support/expect_error.h"

namespace hyperdefect::io {
namespace {

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

TEST(EnviHeader, KeepsEqualSignsAndBracesOfFreeText) {
  const auto header = parsed("ENVI\ndescription = {a = b\nc}\nband names = {red, green}\n");
  EXPECT_EQ(header.text("description"), "a = b\nc");
  EXPECT_EQ(header.words("band names"), (std::vector<std::string>{"red", "green"}));
}

TEST(EnviHeader, RefusesWhatDoesNotBeginWithEnvi) {
  HYPERDEFECT_EXPECT_ERROR(parsed("\xEF\xBB\xBF"
                                  "ENVI\n"),
                           InputError, "scan.hdr: a byte order mark stands before ENVI");
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
                           "scan.hdr line 2: fwhm has 2 entries for 3 bands; it must have one a band");
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
  EXPECT_EQ(layout.interleave, "bsq");
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
  EXPECT_EQ(
      layout_error("data type = 12", "data type = 6"),
      "scan.hdr: data type = 6 (complex) is not supported: it must be 1, 2, 3, 4, 5, 12 or 13 (real numbers, "
      "whole ones of at most 32 bits)");
  EXPECT_NE(layout_error("data type = 12", "data type = 14").find("14 (64 bit) is not supported"),
            std::string::npos);
  EXPECT_EQ(layout_error("interleave = bsq", "interleave = bsx"),
            "scan.hdr: interleave = 'bsx' is not known: it must be bsq, bil or bip");
  EXPECT_EQ(layout_error("byte order = 0", "byte order = 2"),
            "scan.hdr: byte order = 2: it must be 0 (little-endian) or 1 (big-endian)");
  EXPECT_NE(layout_error("byte order = 0", "file compression = 1").find("unpack the data file"),
            std::string::npos);
  EXPECT_NE(layout_error("lines = 2\nbands = 4", "lines = 2000000000\nbands = 2000000000")
                .find("any file can hold"),
            std::string::npos);
}

TEST(FindEnviHeader, PrefersTheHeaderThatKeepsTheExtension) {
  const TempDir dir;
  for (const auto* name : {"a.img", "a.hdr", "a.img.hdr", "b.img", "b.HDR", "c", "c.hdr", "d.tif", "d.hdr"}) {
    write_bytes(dir / name, "x");
  }
  EXPECT_EQ(find_envi_header(dir / "a.img"), dir / "a.img.hdr");
  EXPECT_EQ(find_envi_header(dir / "b.img"), dir / "b.HDR");
  EXPECT_EQ(find_envi_header(dir / "c"), dir / "c.hdr");
  EXPECT_EQ(find_envi_header(dir / "d.tif"), std::nullopt);
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
                           "c.hdr: the header's data file is missing");
  HYPERDEFECT_EXPECT_ERROR(find_envi_data(dir / "d.hdr"), InputError,
                           "d.hdr: both d.img and d.raw could be its data file; give the data file instead");
}

}  // namespace
}  // namespace hyperdefect::io
