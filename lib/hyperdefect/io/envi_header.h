// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hyperdefect::io {

/// The keys of an ENVI header, as text. Keys are found without regard to case and blanks around them; braces
/// around values are taken off; of a key that stands twice the last one counts. Every number that does not
/// parse is an InputError with file and line.
class EnviHeader {
 public:
  struct Entry {
    std::string value;
    std::int64_t line = 0;
  };

  EnviHeader(std::filesystem::path path, std::map<std::string, Entry> entries);

  const std::filesystem::path& path() const { return path_; }
  bool has(const std::string& key) const { return entries_.contains(key); }
  /// The value, or "" where the key is missing.
  std::string text(const std::string& key) const;
  /// The value as a number, or nothing where the key is missing.
  std::optional<double> number(const std::string& key) const;
  /// The value as a whole number of at least `least`. @throws InputError also where the key is missing.
  std::int64_t integer(const std::string& key, std::int64_t least) const;
  /// The list {a, b, ...} as numbers; empty where the key is missing.
  std::vector<double> numbers(const std::string& key) const;
  /// The list as numbers, one a band. @throws InputError where their count is not that of the bands.
  std::vector<double> numbers_per_band(const std::string& key, std::int64_t bands) const;
  /// The list as trimmed texts; empty where the key is missing.
  std::vector<std::string> words(const std::string& key) const;

 private:
  std::string place(const std::string& key) const;

  std::filesystem::path path_;
  std::map<std::string, Entry> entries_;
};

/// Parses a header: first line ENVI, then `key = value` and `key = {value, over several lines}`; lines that
/// begin with ; are comments. @throws InputError for anything else (ESRI headers, a byte order mark, an open
/// brace).
EnviHeader parse_envi_header(std::string_view text, const std::filesystem::path& path);

/// Reads and parses the file. @throws InputError.
EnviHeader read_envi_header(const std::filesystem::path& path);

/// Whether the file begins as an ENVI header does, maybe after a byte order mark or blanks.
bool looks_like_envi_header(const std::filesystem::path& path);

enum class EnviFileType { cube, classification, spectral_library };
EnviFileType envi_file_type(const EnviHeader& header);

/// What a header says about the pixels of its data file.
struct EnviLayout {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t bands = 0;
  std::int64_t header_offset = 0;
  std::int64_t bytes_per_value = 0;
  std::string data_type;
  std::string interleave;

  /// Bytes that the data file must hold.
  std::int64_t file_bytes() const { return header_offset + rows * cols * bands * bytes_per_value; }
};

/// Checks all that the layout of a cube depends on. @throws InputError naming the key: a classification, a
/// spectral library, complex values, sizes that are no sizes, an unknown interleave, compressed data.
EnviLayout envi_layout(const EnviHeader& header);

/// The header beside a data file: FILE.img.hdr before FILE.hdr, .hdr or .HDR. FILE.hdr does not belong to
/// files that describe themselves (tif, png, json ...).
std::optional<std::filesystem::path> find_envi_header(const std::filesystem::path& data);

/// The data file of a header: FILE of FILE.hdr, else FILE with a usual extension (img dat raw bil bip bsq bin
/// cube ...). @throws InputError where there is none, or more than one.
std::filesystem::path find_envi_data(const std::filesystem::path& header);

/// Whether the name ends in .hdr, in any case.
bool has_header_extension(const std::filesystem::path& path);

}  // namespace hyperdefect::io
