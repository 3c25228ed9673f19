// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <initializer_list>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/format/envi_header.h"

namespace hyperdefect::format {
namespace {

constexpr std::int64_t kMostBands = 65536;

struct DataType {
  std::int64_t code;
  std::string_view name;
  std::int64_t bytes;
};

constexpr std::array<DataType, 7> kDataTypes{{{1, "uint8", 1},
                                              {2, "int16", 2},
                                              {3, "int32", 4},
                                              {4, "float32", 4},
                                              {5, "float64", 8},
                                              {12, "uint16", 2},
                                              {13, "uint32", 4}}};

const DataType& data_type(const EnviHeader& header) {
  const auto code = header.integer("data type", 1);
  const auto known =
      std::find_if(kDataTypes.begin(), kDataTypes.end(), [&](const auto& t) { return t.code == code; });
  if (known != kDataTypes.end()) {
    return *known;
  }
  const char* const kind = code == 6 || code == 9     ? " (complex)"
                           : code == 14 || code == 15 ? " (64 bit)"
                                                      : "";
  throw InputError(text::concat(
      header.path().string(), ": data type = ", code, kind,
      " is not supported: it must be 1, 2, 3, 4, 5, 12 or 13 (real numbers; integers of at most 32 bits)"));
}

Interleave interleave(const EnviHeader& header) {
  if (!header.has("interleave")) {
    throw InputError(text::concat(header.path().string(), ": the key 'interleave' is missing"));
  }
  const auto name = text::lower(header.text("interleave"));
  for (const auto known : {Interleave::bsq, Interleave::bil, Interleave::bip}) {
    if (name == to_string(known)) {
      return known;
    }
  }
  throw InputError(text::concat(header.place("interleave"), " = ", text::shown(name),
                                " is not known: it must be bsq, bil or bip"));
}

bool big_endian(const EnviHeader& header) {
  const auto order = header.number("byte order").value_or(0);
  if (order != 0 && order != 1) {
    throw InputError(text::concat(header.place("byte order"), " = ", text::to_text(order),
                                  ": it must be 0 (little-endian) or 1 (big-endian)"));
  }
  return order == 1;
}

/// Bytes between the frames of a camera would shift all values behind them.
void check_frames(const EnviHeader& header) {
  for (const auto* key : {"major frame offsets", "minor frame offsets"}) {
    const auto offsets = header.numbers(key);
    if (std::any_of(offsets.begin(), offsets.end(), [](double bytes) { return bytes != 0; })) {
      throw InputError(text::concat(
          header.place(key),
          ": data with bytes between the frames cannot be read; write the cube again without them"));
    }
  }
}

void check_is_raw_cube(const EnviHeader& header) {
  const auto refuse = [&](std::string_view why) {
    throw InputError(text::concat(header.path().string(), ": ", why));
  };
  if (envi_file_type(header) == EnviFileType::spectral_library) {
    refuse("is a spectral library, not a cube");
  }
  if (envi_file_type(header) == EnviFileType::classification) {
    refuse("is a classification map, not a cube");
  }
  if (header.number("file compression").value_or(0) != 0) {
    refuse(
        "file compression = 1: compressed ENVI data cannot be checked for completeness; unpack the data "
        "file");
  }
  check_frames(header);
}

/// GDAL keeps an object a band.
std::int64_t band_count(const EnviHeader& header) {
  const auto bands = header.integer("bands", 1);
  if (bands > kMostBands) {
    throw InputError(
        text::concat(header.place("bands"), " = ", bands, ": at most ", kMostBands, " can be read"));
  }
  return bands;
}

void check_bytes_are_countable(const EnviLayout& layout, const std::filesystem::path& path) {
  std::int64_t bytes = layout.rows * layout.cols;
  if (__builtin_mul_overflow(bytes, layout.bands, &bytes) ||
      __builtin_mul_overflow(bytes, layout.bytes_per_value, &bytes) ||
      __builtin_add_overflow(bytes, layout.header_offset, &bytes)) {
    throw InputError(text::concat(path.string(), ": ", layout.cols, " samples, ", layout.rows, " lines and ",
                                  layout.bands, " bands are more than any file can hold"));
  }
}

}  // namespace

std::string to_string(Interleave interleave) {
  switch (interleave) {
    case Interleave::bsq:
      return "bsq";
    case Interleave::bil:
      return "bil";
    case Interleave::bip:
      break;
  }
  return "bip";
}

EnviFileType envi_file_type(const EnviHeader& header) {
  const auto type = text::lower(header.text("file type"));
  if (type.find("spectral library") != std::string::npos) {
    return EnviFileType::spectral_library;
  }
  return type.find("classification") != std::string::npos ? EnviFileType::classification : EnviFileType::cube;
}

EnviLayout envi_layout(const EnviHeader& header) {
  check_is_raw_cube(header);
  const auto& type = data_type(header);
  EnviLayout layout;
  layout.rows = header.integer("lines", 1);
  layout.cols = header.integer("samples", 1);
  layout.bands = band_count(header);
  layout.header_offset = header.has("header offset") ? header.integer("header offset", 0) : 0;
  layout.type_code = type.code;
  layout.bytes_per_value = type.bytes;
  layout.data_type = type.name;
  layout.interleave = interleave(header);
  layout.big_endian = big_endian(header);
  check_bytes_are_countable(layout, header.path());
  return layout;
}

std::optional<std::uintmax_t> described_bytes(const std::filesystem::path& header) {
  try {
    return static_cast<std::uintmax_t>(envi_layout(read_envi_header(header)).file_bytes());
  } catch (const InputError&) {
    return std::nullopt;
  }
}

}  // namespace hyperdefect::format
