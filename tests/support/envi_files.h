// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_dir.h"

namespace hyperdefect::test {

/// A raw cube as it is written byte by byte, without any library.
struct RawCube {
  std::int64_t rows = 2;
  std::int64_t cols = 3;
  std::int64_t bands = 4;
  int data_type = 12;
  std::string interleave = "bsq";
  bool big_endian = false;
  std::int64_t offset = 0;
  /// More header lines.
  std::string more;

  std::string header() const {
    return "ENVI\nsamples = " + std::to_string(cols) + "\nlines = " + std::to_string(rows) +
           "\nbands = " + std::to_string(bands) + "\nheader offset = " + std::to_string(offset) +
           "\nfile type = ENVI Standard\ndata type = " + std::to_string(data_type) +
           "\ninterleave = " + interleave + "\nbyte order = " + (big_endian ? "1" : "0") + "\n" + more;
  }

  /// Where the value of a band at a pixel stands in the file, counted in values.
  std::int64_t place(std::int64_t band, std::int64_t row, std::int64_t col) const {
    if (interleave == "bsq") {
      return (band * rows + row) * cols + col;
    }
    return interleave == "bil" ? (row * bands + band) * cols + col : (row * cols + col) * bands + band;
  }

  /// The file's bytes for value(band, row, col).
  template <class T, class Value>
  std::string bytes(Value value) const {
    std::string file(static_cast<std::size_t>(offset), '#');
    file.resize(
        static_cast<std::size_t>(offset + rows * cols * bands * static_cast<std::int64_t>(sizeof(T))));
    for (std::int64_t b = 0; b < bands; ++b) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < cols; ++c) {
          const T v = static_cast<T>(value(b, r, c));
          char raw[sizeof(T)];
          std::memcpy(raw, &v, sizeof(T));
          if (big_endian) {
            std::reverse(raw, raw + sizeof(T));
          }
          std::memcpy(
              &file[static_cast<std::size_t>(offset + place(b, r, c) * static_cast<std::int64_t>(sizeof(T)))],
              raw, sizeof(T));
        }
      }
    }
    return file;
  }
};

/// Writes FILE and its header, FILE.hdr instead of FILE.img.
template <class T, class Value>
void write_raw_cube(const std::filesystem::path& data, const RawCube& cube, Value value) {
  write_bytes(data, cube.bytes<T>(value));
  auto header = data;
  write_bytes(header.replace_extension(".hdr"), cube.header());
}

/// 100 band + 10 row + col + 1: every value of a small cube is another one, and none is zero.
inline std::int64_t distinct_value(std::int64_t band, std::int64_t row, std::int64_t col) {
  return 100 * band + 10 * row + col + 1;
}

}  // namespace hyperdefect::test
