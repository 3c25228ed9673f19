// SPDX-License-Identifier: Apache-2.0
// ENVI headers: parsing, every accessor, the layout and the spectral axis.
#include "hyperdefect/format/envi_header.h"

#include <cmath>
#include <optional>

#include "fuzz/fuzz.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/format/spectral_axis.h"

namespace hyperdefect::fuzz {
namespace {

constexpr std::int64_t kLargestSide = 0x7fffffff;
/// Of an axis; more would only be slow.
constexpr std::int64_t kMostBands = 1000;
constexpr std::size_t kAmplified = std::size_t{1} << 22;

const char* const kKeys[] = {"samples",
                             "lines",
                             "bands",
                             "header offset",
                             "data type",
                             "interleave",
                             "byte order",
                             "file type",
                             "file compression",
                             "wavelength",
                             "wavelength units",
                             "fwhm",
                             "bbl",
                             "band names",
                             "data ignore value",
                             "reflectance scale factor",
                             "data gain values",
                             "data offset values",
                             "z plot titles",
                             "description"};

std::optional<format::EnviHeader> parsed(std::string_view text) {
  std::optional<format::EnviHeader> header;
  accepted<InputError>([&] { header = format::parse_envi_header(text, "scene.hdr"); });
  return header;
}

void check_accessors(const format::EnviHeader& header, const std::string& key) {
  accepted<InputError>([&] { header.number(key); });
  accepted<InputError>([&] {
    const auto value = header.integer(key, 1);
    require(value >= 1 && value <= kLargestSide, "an integer lies within its bounds");
  });
  accepted<InputError>([&] {
    const auto count = header.numbers_per_band(key, 3).size();
    require(count == 0 || count == 3, "a list has one entry a band");
  });
  for (const auto& word : header.words(key)) {
    require(!word.empty() && word.find(',') == std::string::npos, "the words of a list are its entries",
            word);
  }
}

std::optional<format::EnviLayout> layout_of(const format::EnviHeader& header) {
  std::optional<format::EnviLayout> layout;
  accepted<InputError>([&] { layout = format::envi_layout(header); });
  return layout;
}

void check_layout(const format::EnviLayout& layout) {
  const auto is_side = [](std::int64_t size) { return size >= 1 && size <= kLargestSide; };
  require(is_side(layout.rows) && is_side(layout.cols) && is_side(layout.bands), "sizes are positive");
  require(layout.header_offset >= 0, "the offset is not negative");
  require(layout.bytes_per_value == 1 || layout.bytes_per_value == 2 || layout.bytes_per_value == 4 ||
              layout.bytes_per_value == 8,
          "a value has 1, 2, 4 or 8 bytes");
  require(!layout.data_type.empty(), "the data type has a name");
  // The sanitizer sees an overflow.
  require(layout.file_bytes() >= layout.header_offset + layout.bytes_per_value, "the file holds a value");
}

bool same(const std::optional<format::EnviLayout>& a, const std::optional<format::EnviLayout>& b) {
  return a.has_value() == b.has_value() &&
         (!a || (a->rows == b->rows && a->cols == b->cols && a->bands == b->bands &&
                 a->header_offset == b->header_offset && a->data_type == b->data_type &&
                 a->interleave == b->interleave));
}

std::string with_windows_line_ends(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c == '\n' ? "\r\n" : std::string(1, c);
  }
  return result;
}

void check_line_ends(std::string_view text, const std::optional<format::EnviLayout>& layout) {
  if (text.find('\r') == std::string_view::npos) {
    const auto header = parsed(with_windows_line_ends(text));
    require(same(header ? layout_of(*header) : std::nullopt, layout), "line ends change nothing");
  }
}

void check_axis(const format::EnviHeader& header, std::int64_t bands) {
  format::CubeInfo info;
  info.path = "scene.img";
  info.bands.count = bands;
  const auto one_a_band = [bands](std::size_t count) {
    return count == 0 || count == static_cast<std::size_t>(bands);
  };
  accepted<InputError>([&] {
    format::read_spectral_axis(header, spectral::WavelengthUnit::automatic, info);
    const auto& axis = info.bands;
    require(one_a_band(axis.wavelengths_nm.size()) && one_a_band(axis.fwhm_nm.size()) &&
                one_a_band(axis.good.size()),
            "an axis has one entry a band");
    for (const double wavelength : axis.wavelengths_nm) {
      require(std::isfinite(wavelength) && wavelength > 0, "wavelengths are positive");
    }
  });
}

void check(std::string_view text) {
  const auto header = parsed(text);
  std::optional<format::EnviLayout> layout;
  if (header) {
    for (const auto* key : kKeys) {
      check_accessors(*header, key);
    }
    accepted<InputError>([&] { format::check_overlooked_keys(*header); });
    layout = layout_of(*header);
  }
  if (layout) {
    check_layout(*layout);
    check_axis(*header, std::min(layout->bands, kMostBands));
  }
  check_line_ends(text, layout);
  if (const auto large = amplified(text, kAmplified); !large.empty()) {
    parsed(large);
  }
}

}  // namespace
}  // namespace hyperdefect::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hyperdefect::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
