// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hyperdefect::format {

/// The keys of an ENVI header, as text. Keys are found without regard to case and to the blanks around and
/// between their words; braces around values are taken off. A key without a value (`key =`, `key = {}`) is
/// not stated. Every number that does not parse, every text behind a closing brace and every key that is
/// stated twice with different values is an InputError with file and line, as soon as the key is asked for.
class EnviHeader {
 public:
  struct Entry {
    std::string value;
    std::int64_t line = 0;
    /// What stands behind the value's closing brace.
    std::string rest;
    /// The line of an earlier statement of the same key with another value, or 0.
    std::int64_t other_line = 0;
  };

  /// A line that states nothing, but that may have been meant to.
  struct Overlooked {
    std::string text;
    std::int64_t line = 0;
    /// The list that holds the line, or empty.
    std::string list;
    /// The key without a value that stands before the line, whose value this may be; or empty.
    std::string value_of = {};
  };

  EnviHeader(std::filesystem::path path, std::map<std::string, Entry> entries,
             std::vector<Overlooked> overlooked = {});

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  const std::vector<Overlooked>& overlooked() const { return overlooked_; }
  /// Whether the key is stated: it stands there and has a value.
  bool has(const std::string& key) const { return entries_.contains(key); }
  /// The value, or "" if the key is not stated.
  std::string text(const std::string& key) const;
  /// The value as a number, or nothing if the key is not stated.
  std::optional<double> number(const std::string& key) const;
  /// The value as a whole number of at least `least`. @throws InputError also if the key is not stated.
  std::int64_t integer(const std::string& key, std::int64_t least) const;
  /// The list {a, b, ...} as numbers, all of them finite; empty if the key is not stated.
  std::vector<double> numbers(const std::string& key) const;
  /// The list as numbers, one per band. @throws InputError if their count is not that of the bands.
  std::vector<double> numbers_per_band(const std::string& key, std::int64_t bands) const;
  /// The list as trimmed texts, whatever they are; empty if the key is not stated.
  std::vector<std::string> words(const std::string& key) const;
  /// "FILE line N: KEY", to begin a message with.
  std::string place(const std::string& key) const;

 private:
  /// The entry, if it is stated and can only mean one thing.
  const Entry* stated(const std::string& key) const;

  std::filesystem::path path_;
  std::map<std::string, Entry> entries_;
  std::vector<Overlooked> overlooked_;
};

/// Parses a header: first line ENVI, then `key = value` and `key = {value, over several lines}`; lines that
/// begin with ; are comments. Lines end with LF, CR LF or CR. Takes time in proportion to the text.
/// @throws InputError for anything else (ESRI headers, a byte order mark, a NUL byte, an open brace).
EnviHeader parse_envi_header(std::string_view text, const std::filesystem::path& path);

/// Reads and parses the file. @throws InputError, also if it is larger than 64 MiB.
EnviHeader read_envi_header(const std::filesystem::path& path);

/// Whether the file begins as an ENVI header does, maybe after a byte order mark or blanks.
bool looks_like_envi_header(const std::filesystem::path& path);

enum class EnviFileType { cube, classification, spectral_library };
EnviFileType envi_file_type(const EnviHeader& header);

/// How the values of a cube follow each other in its file: band by band, line by line, or pixel by pixel.
enum class Interleave { bsq, bil, bip };

/// "bsq", "bil" or "bip".
std::string to_string(Interleave interleave);

/// What a header says about the pixels of its data file: all that is needed to read them.
struct EnviLayout {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t bands = 0;
  std::int64_t header_offset = 0;
  /// ENVI's code of the type: 1, 2, 3, 4, 5, 12 or 13.
  std::int64_t type_code = 0;
  std::int64_t bytes_per_value = 0;
  std::string data_type;
  Interleave interleave = Interleave::bsq;
  bool big_endian = false;

  /// Bytes that the data file must hold.
  std::int64_t file_bytes() const { return header_offset + rows * cols * bands * bytes_per_value; }
};

/// Checks all that the layout of a cube depends on. @throws InputError naming the key: a classification, a
/// spectral library, complex values, sizes that are no sizes, an unknown interleave, compressed data, bytes
/// between the frames.
EnviLayout envi_layout(const EnviHeader& header);

/// The size of the raw data that a header describes; nothing if it cannot be read or describes none.
std::optional<std::uintmax_t> described_bytes(const std::filesystem::path& header);

/// Warns of keys and lines that are not read but look as if they should be: `wavelengths` for `wavelength`.
/// @throws InputError if such a one seems to state where the values lie or the order of their bytes.
void check_overlooked_keys(const EnviHeader& header);

/// The header of a data file: FILE.img.hdr before FILE.hdr, .hdr or .HDR. FILE.hdr is that of FILE.img only
/// if find_envi_data() would take FILE.img, or cannot decide. For a file that describes itself (TIFF ...) the
/// header adds what the file does not say; pictures and documents have none.
std::optional<std::filesystem::path> find_envi_header(const std::filesystem::path& data);

/// The data file of a header: FILE of FILE.hdr, or FILE with any extension, unless that file has a header of
/// its own or is a picture, a document, a text or a known sidecar. Of several, those count whose size is what
/// the header says, then those with a usual extension of raw data (img dat raw bil bip bsq bin cube ...).
/// @throws InputError if there is none, or more than one.
std::filesystem::path find_envi_data(const std::filesystem::path& header);

/// FILE.img of FILE.hdr if FILE.img.hdr describes it, likewise for other usual extensions of raw data.
std::optional<std::filesystem::path> image_with_own_header(const std::filesystem::path& header);

/// Whether the name ends in .hdr, in any case.
bool has_header_extension(const std::filesystem::path& path);

}  // namespace hyperdefect::format
