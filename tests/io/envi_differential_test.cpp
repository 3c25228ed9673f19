// SPDX-License-Identifier: Apache-2.0
#include <gdal_priv.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/io/cube_reader.h"
#include "support/envi_files.h"

namespace hyperdefect::io {
namespace {

using test::distinct_value;
using test::RawCube;
using test::TempDir;
using test::write_bytes;

/// A header in which one thing is spelt in its own way. Pixels must be those of the cube, or the header must
/// be refused; which of the two is written down too, so that neither changes unseen.
struct Spelling {
  std::string name;
  std::string from;
  std::string to;
  bool read;
};

/// Big-endian bip behind 16 bytes: a key that is overlooked shows in the values.
RawCube cube() {
  RawCube cube;
  cube.rows = 3;
  cube.cols = 10;
  cube.bands = 5;
  cube.interleave = "bip";
  cube.big_endian = true;
  cube.offset = 16;
  return cube;
}

constexpr bool kRead = true;
constexpr bool kRefused = false;

const std::string kLong(12000, 'n');

/// Replacements in samples = 10, lines = 3, bands = 5, header offset = 16, data type = 12, interleave = bip,
/// byte order = 1.
std::vector<Spelling> spellings() {
  return {
      {"as it is", "", "", kRead},
      // Blanks, tabs and case.
      {"blanks before a key", "byte order", "   byte order", kRead},
      {"a tab before a key", "byte order", "\tbyte order", kRead},
      {"two blanks in a key", "byte order", "byte  order", kRead},
      {"a tab in a key", "byte order", "byte\torder", kRead},
      {"upper case key", "byte order", "BYTE ORDER", kRead},
      {"mixed case key", "header offset", "Header Offset", kRead},
      {"upper case value", "= bip", "= BIP", kRead},
      {"mixed case value with blanks", "= bip", "=   Bip  ", kRead},
      {"no blanks around =", "byte order = 1", "byte order=1", kRead},
      {"tabs around =", "byte order = 1", "byte order\t=\t1", kRead},
      {"blanks behind a value", "samples = 10", "samples = 10   ", kRead},
      {"a tab behind a value", "byte order = 1", "byte order = 1\t", kRead},
      {"a blank line between", "byte order", "\n\nbyte order", kRead},
      // Ways to write a number.
      {"braces around a number", "byte order = 1", "byte order = {1}", kRead},
      {"braces around the offset", "header offset = 16", "header offset = { 16 }", kRead},
      {"braces around samples", "samples = 10", "samples = {10}", kRead},
      {"braces around the interleave", "interleave = bip", "interleave = {bip}", kRead},
      {"braces around the type", "data type = 12", "data type = {12}", kRead},
      {"braces over two lines", "byte order = 1", "byte order = {\n1}", kRead},
      {"an exponent", "samples = 10", "samples = 1e1", kRead},
      {"an exponent of the offset", "header offset = 16", "header offset = 1.6e1", kRead},
      {"a decimal", "lines = 3", "lines = 3.0", kRead},
      {"a decimal of the byte order", "byte order = 1", "byte order = 1.0", kRead},
      {"a decimal point alone", "lines = 3", "lines = 3.", kRead},
      {"a plus sign", "samples = 10", "samples = +10", kRead},
      {"leading zeros", "samples = 10", "samples = 0010", kRead},
      {"a leading zero of the offset", "header offset = 16", "header offset = 016", kRead},
      {"hexadecimal", "samples = 10", "samples = 0xA", kRefused},
      {"two signs", "samples = 10", "samples = +-10", kRefused},
      {"a unit", "samples = 10", "samples = 10 pixels", kRefused},
      {"text before the number", "samples = 10", "samples = ca 10", kRefused},
      {"a comma behind the number", "samples = 10", "samples = 10,", kRefused},
      {"a thousands separator", "header offset = 16", "header offset = 0,016", kRefused},
      {"a decimal comma", "lines = 3", "lines = 3,0", kRefused},
      {"quotes", "samples = 10", "samples = \"10\"", kRefused},
      {"two equal signs", "byte order = 1", "byte order == 1", kRefused},
      {"a comment behind the number", "byte order = 1", "byte order = 1 ; big-endian", kRefused},
      {"words for the byte order", "byte order = 1", "byte order = big", kRefused},
      {"words for the interleave", "interleave = bip", "interleave = bip (pixel)", kRefused},
      {"a fraction", "lines = 3", "lines = 3.5", kRefused},
      {"not a number", "samples = 10", "samples = nan", kRefused},
      {"infinity", "samples = 10", "samples = inf", kRefused},
      {"larger than any integer", "samples = 10", "samples = 1e300", kRefused},
      {"larger than any double", "samples = 10", "samples = 1e999", kRefused},
      {"negative", "lines = 3", "lines = -3", kRefused},
      {"a negative offset", "header offset = 16", "header offset = -16", kRefused},
      {"wraps around 32 bits", "samples = 10", "samples = 4294967306", kRefused},
      {"not a number as byte order", "byte order = 1", "byte order = nan", kRefused},
      {"two numbers in braces", "byte order = 1", "byte order = {1, 0}", kRefused},
      {"a number behind the braces", "byte order = 1", "byte order = {1} 0", kRefused},
      {"no such byte order", "byte order = 1", "byte order = 2", kRefused},
      {"no such type", "data type = 12", "data type = 120", kRefused},
      // Keys that are nearly right.
      {"an underscore in a key", "byte order", "byte_order", kRefused},
      {"a hyphen in a key", "byte order", "byte-order", kRefused},
      {"no blank in a key", "header offset", "headeroffset", kRefused},
      {"a hard space in a key", "byte order", "byte\xC2\xA0order", kRefused},
      {"a letter missing", "byte order", "byte oder", kRefused},
      {"a plural", "header offset", "header offsets", kRefused},
      {"a colon for =", "byte order = 1", "byte order: 1", kRefused},
      {"no =", "byte order = 1", "byte order 1", kRefused},
      {"a key of the layout missing", "samples = 10\n", "", kRefused},
      {"no interleave", "interleave = bip\n", "", kRefused},
      {"bytes between the frames", "byte order", "minor frame offsets = {0, 4}\nbyte order", kRefused},
      {"no bytes between the frames", "byte order", "minor frame offsets = {0, 0}\nbyte order", kRead},
      {"compressed", "byte order", "file compression = {1}\nbyte order", kRefused},
      // Keys without a value, and keys that stand twice.
      {"no value, then the value", "byte order", "byte order =\nbyte order", kRead},
      {"the value, then no value", "byte order = 1", "byte order = 1\nbyte order = {}", kRead},
      {"twice the same", "byte order = 1", "byte order = 1\nByte Order = 1", kRead},
      {"two values", "byte order = 1", "byte order = 0\nbyte order = 1", kRefused},
      {"two values, the wrong one last", "byte order = 1", "byte order = 1\nbyte order = 0", kRefused},
      {"two interleaves", "interleave = bip", "interleave = bip\ninterleave = bil", kRefused},
      {"two sizes", "samples = 10", "samples = 5\nsamples = 10", kRefused},
      // Lists and comments before the key.
      {"a long line before a key", "byte order", "band names = {" + kLong + "}\nbyte order", kRead},
      {"a long comment before a key", "byte order", ";" + kLong + "\nbyte order", kRead},
      {"long blanks before a key", "byte order", std::string(12000, ' ') + "byte order", kRead},
      {"a long text without braces", "byte order", "notes = " + kLong + "\nbyte order", kRead},
      {"an open brace in a comment", "byte order", "; see = { the manual\nbyte order", kRead},
      {"an open brace in a text", "byte order", "notes = from { on\nbyte order", kRead},
      {"a comment that states a key", "byte order", ";byte order = 0\nbyte order", kRead},
      {"a comment behind the key", "byte order = 1", "byte order = 1\n; byte order = 0", kRead},
      {"a comment within a list", "byte order", "notes = {a,\n; }\nb}\nbyte order", kRead},
      {"a key stated within a text too", "byte order", "notes = {\nbyte order = 0\n}\nbyte order", kRead},
      {"a text that swallows a key", "byte order = 1", "notes = {\nbyte order = 1\n}", kRefused},
      {"an open text that swallows a key", "byte order = 1", "notes = {old\nbyte order = 1\nx = {a}",
       kRefused},
      {"a list that is not closed", "byte order", "notes = {old\nbyte order", kRefused},
      {"braces within braces", "byte order", "notes = {a {b} c}\nbyte order", kRead},
      {"braces in a key", "byte order", "swir {x,y} = {1, 2}\nbyte order", kRead},
      {"a value with =", "byte order", "notes = a = b\nbyte order", kRead},
      {"a closing brace alone", "byte order", "}\nbyte order", kRead},
      // Bytes that are no text.
      {"a NUL byte before a key", "byte order", std::string(1, '\0') + "byte order", kRefused},
      {"a NUL byte in a value", "byte order = 1", "byte order = 1" + std::string(1, '\0'), kRefused},
      {"a byte order mark before a key", "byte order",
       "\xEF\xBB\xBF"
       "byte order",
       kRefused},
      {"Latin-1 in a text", "byte order",
       "notes = {Kr\xFC"
       "mel}\nbyte order",
       kRead},
  };
}

std::string with_line_ends(std::string text, const std::string& end) {
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + end.size())) {
    text.replace(at, 1, end);
  }
  return text;
}

std::string spelt(const Spelling& spelling) {
  auto text = cube().header();
  const auto at = text.find(spelling.from);
  EXPECT_NE(at, std::string::npos) << spelling.name;
  return text.replace(at, spelling.from.size(), spelling.to);
}

torch::Tensor truth() {
  const auto c = cube();
  auto values = torch::empty({c.bands, c.rows, c.cols});
  for (std::int64_t b = 0; b < c.bands; ++b) {
    for (std::int64_t row = 0; row < c.rows; ++row) {
      for (std::int64_t col = 0; col < c.cols; ++col) {
        values.index_put_({b, row, col}, distinct_value(b, row, col));
      }
    }
  }
  return values;
}

/// The values as we read them, or nothing if the header is refused.
std::optional<torch::Tensor> read_by_us(const std::filesystem::path& data) {
  testing::internal::CaptureStderr();
  std::optional<torch::Tensor> values;
  try {
    CubeReader reader(format::read_cube_info(data));
    values = reader.read(whole(reader.info().size())).values;
  } catch (const InputError&) {
  }
  testing::internal::GetCapturedStderr();
  return values;
}

/// The values as GDAL's own reading of the header gives them, or nothing.
std::optional<torch::Tensor> read_by_gdal(const std::filesystem::path& data) {
  GDALAllRegister();
  CPLPushErrorHandler(CPLQuietErrorHandler);
  const char* const allowed[] = {"ENVI", nullptr};
  auto* dataset =
      static_cast<GDALDataset*>(GDALOpenEx(data.c_str(), GDAL_OF_RASTER, allowed, nullptr, nullptr));
  std::optional<torch::Tensor> values;
  if (dataset != nullptr && dataset->GetRasterCount() > 0 && dataset->GetRasterCount() < 100) {
    auto read =
        torch::empty({dataset->GetRasterCount(), dataset->GetRasterYSize(), dataset->GetRasterXSize()});
    if (dataset->RasterIO(GF_Read, 0, 0, dataset->GetRasterXSize(), dataset->GetRasterYSize(),
                          read.data_ptr(), dataset->GetRasterXSize(), dataset->GetRasterYSize(), GDT_Float32,
                          dataset->GetRasterCount(), nullptr, 0, 0, 0, nullptr) == CE_None) {
      values = read;
    }
  }
  GDALClose(dataset);
  CPLPopErrorHandler();
  return values;
}

bool same(const std::optional<torch::Tensor>& values, const torch::Tensor& expected) {
  return values && values->sizes() == expected.sizes() && torch::equal(*values, expected);
}

TEST(EnviSpellings, AreReadRightOrRefused) {
  const auto expected = truth();
  int gdal_is_right = 0;
  for (const auto& spelling : spellings()) {
    for (const std::string line_end : {"\n", "\r\n", "\r"}) {
      SCOPED_TRACE(spelling.name + (line_end == "\n" ? "" : line_end == "\r" ? " (CR)" : " (CR LF)"));
      const TempDir dir;
      write_bytes(dir / "scan.img", cube().bytes<std::uint16_t>(distinct_value));
      write_bytes(dir / "scan.hdr", with_line_ends(spelt(spelling), line_end));
      const auto ours = read_by_us(dir / "scan.img");
      EXPECT_EQ(ours.has_value(), spelling.read);
      EXPECT_TRUE(!ours || same(ours, expected)) << "read, but other values than the file's";
      gdal_is_right += same(read_by_gdal(dir / "scan.img"), expected) ? 1 : 0;
    }
  }
  // Were GDAL always right, this table would try nothing; were it never, the table's cube would be wrong.
  EXPECT_GT(gdal_is_right, 20);
  EXPECT_LT(gdal_is_right, static_cast<int>(3 * spellings().size()) - 20);
}

/// Every interleave, type and byte order, whole and in windows, against GDAL and the values.
TEST(EnviSpellings, PlainHeadersAreReadAsGdalReadsThem) {
  const TempDir dir;
  auto plain = cube();
  const auto expected = truth();
  const auto check = [&](const std::string& name) {
    SCOPED_TRACE(name);
    write_bytes(dir / "scan.hdr", plain.header());
    CubeReader reader(format::read_cube_info(dir / "scan.img"));
    EXPECT_TRUE(torch::equal(reader.read(whole(reader.info().size())).values, expected));
    EXPECT_TRUE(torch::equal(reader.read({1, 2, 2, 5}).values, expected.slice(1, 1, 3).slice(2, 2, 7)));
    EXPECT_TRUE(same(read_by_gdal(dir / "scan.img"), expected));
  };
  for (const std::string interleave : {"bsq", "bil", "bip"}) {
    for (const bool big_endian : {false, true}) {
      for (const std::int64_t offset : {0, 7}) {
        plain.interleave = interleave;
        plain.big_endian = big_endian;
        plain.offset = offset;
        plain.data_type = 2;
        write_bytes(dir / "scan.img", plain.bytes<std::int16_t>(distinct_value));
        check("int16 " + plain.header());
        plain.data_type = 13;
        write_bytes(dir / "scan.img", plain.bytes<std::uint32_t>(distinct_value));
        check("uint32 " + plain.header());
        plain.data_type = 4;
        write_bytes(dir / "scan.img", plain.bytes<float>(distinct_value));
        check("float32 " + plain.header());
        plain.data_type = 5;
        write_bytes(dir / "scan.img", plain.bytes<double>(distinct_value));
        check("float64 " + plain.header());
      }
    }
  }
}

}  // namespace
}  // namespace hyperdefect::io
