// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/envi_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::int64_t kLargestSide = 0x7fffffff;
constexpr std::size_t kLargestHeader = std::size_t{1} << 26;
constexpr std::size_t kLongestQuote = 40;

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

/// Extensions of files that need no ENVI header: the header beside them is another file's.
constexpr std::array<std::string_view, 28> kSelfDescribing{
    ".tif", ".tiff", ".png", ".jpg",  ".jpeg", ".bmp",  ".gif", ".json", ".csv", ".txt",
    ".md",  ".xml",  ".zip", ".html", ".log",  ".gpkg", ".yml", ".yaml", ".pdf", ".h5",
    ".nc",  ".mat",  ".npy", ".npz",  ".gz",   ".enp",  ".vrt", ".sta"};

constexpr std::array<std::string_view, 16> kDataExtensions{".img", ".dat",  ".raw", ".bil", ".bip", ".bsq",
                                                           ".bin", ".cube", ".rad", ".sli", ".IMG", ".DAT",
                                                           ".RAW", ".BIL",  ".BIP", ".BSQ"};

constexpr std::array<std::string_view, 3> kHeaderExtensions{".hdr", ".HDR", ".Hdr"};

std::string in_quotes(std::string_view value) {
  const bool cut = value.size() > kLongestQuote;
  return text::cat('\'', value.substr(0, kLongestQuote), cut ? "..." : "", '\'');
}

std::string normalised_key(std::string_view raw) {
  std::string key;
  for (const char c : text::lower(text::trimmed(raw))) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank || key.back() != ' ') {
      key += blank ? ' ' : c;
    }
  }
  return key;
}

std::optional<double> parsed_number(std::string_view word) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
  }
  double value = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  return failure == std::errc() && end == word.data() + word.size() ? std::optional(value) : std::nullopt;
}

std::vector<std::string> split(std::string_view list, std::string_view separators) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const auto end = std::min(list.find_first_of(separators), list.size());
    if (auto part = text::trimmed(list.substr(0, end)); !part.empty()) {
      parts.push_back(std::move(part));
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

/// Hands out the lines of a text one by one, without their ends, and counts them.
class Lines {
 public:
  explicit Lines(std::string_view rest) : rest_(rest) {}

  std::optional<std::string_view> next() {
    if (rest_.empty()) {
      return std::nullopt;
    }
    const auto end = std::min(rest_.find('\n'), rest_.size());
    auto line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
  }

  /// The next line that is not a comment.
  std::optional<std::string_view> next_statement() {
    auto line = next();
    while (line && text::trimmed(*line).starts_with(';')) {
      line = next();
    }
    return line;
  }

  std::int64_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::int64_t number_ = 0;
};

bool is_esri_header(std::string_view header) {
  const auto words = text::lower(header.substr(0, 4096));
  return words.find("nrows") != std::string::npos && words.find("ncols") != std::string::npos;
}

void check_first_line(std::string_view header, std::string_view line, const fs::path& path) {
  if (text::trimmed(line) == "ENVI" && line.starts_with("ENVI")) {
    return;
  }
  const auto refuse = [&](std::string_view why) { throw InputError(text::cat(path.string(), ": ", why)); };
  if (header.starts_with(kByteOrderMark)) {
    refuse("a byte order mark stands before ENVI; save the header as text without one");
  }
  if (text::trimmed(header).starts_with("ENVI")) {
    refuse("the first line must be exactly ENVI; remove the blanks around it");
  }
  if (is_esri_header(header)) {
    refuse(
        "is an ESRI header, not an ENVI header (whose first line is ENVI); convert the image to ENVI or "
        "GeoTIFF");
  }
  refuse(
      text::cat("is not an ENVI header: its first line is ", in_quotes(text::trimmed(line)), ", not ENVI"));
}

/// The text between the braces, of which the first one opens `value`.
std::string braced_value(std::string value, Lines& lines, const std::string& key, const fs::path& path) {
  const auto first_line = lines.number();
  while (value.find('}') == std::string::npos) {
    const auto line = lines.next_statement();
    if (!line) {
      throw InputError(text::cat(path.string(), " line ", first_line, ": the list '", key,
                                 "' is not closed; add the missing }"));
    }
    value += '\n';
    value += *line;
  }
  return text::trimmed(std::string_view(value).substr(1, value.find('}') - 1));
}

std::string file_text(const fs::path& path, std::size_t most) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(most, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(most));
  if (stream.bad() || (!stream && stream.gcount() == 0)) {
    throw InputError(text::cat(path.string(), ": cannot be read, or is empty"));
  }
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

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
  throw InputError(text::cat(
      header.path().string(), ": data type = ", code, kind,
      " is not supported: it must be 1, 2, 3, 4, 5, 12 or 13 (real numbers, whole ones of at most 32 bits)"));
}

std::string interleave(const EnviHeader& header) {
  const auto name = text::lower(header.text("interleave"));
  if (name != "bsq" && name != "bil" && name != "bip") {
    throw InputError(text::cat(header.path().string(), ": interleave = ", in_quotes(name),
                               " is not known: it must be bsq, bil or bip"));
  }
  return name;
}

void check_is_raw_cube(const EnviHeader& header) {
  const auto refuse = [&](std::string_view why) {
    throw InputError(text::cat(header.path().string(), ": ", why));
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
  if (header.number("byte order").value_or(0) != 0 && header.number("byte order") != 1.0) {
    refuse(text::cat("byte order = ", header.text("byte order"),
                     ": it must be 0 (little-endian) or 1 (big-endian)"));
  }
}

void check_bytes_are_countable(const EnviLayout& layout, const fs::path& path) {
  std::int64_t bytes = layout.rows * layout.cols;
  if (__builtin_mul_overflow(bytes, layout.bands, &bytes) ||
      __builtin_mul_overflow(bytes, layout.bytes_per_value, &bytes) ||
      __builtin_add_overflow(bytes, layout.header_offset, &bytes)) {
    throw InputError(text::cat(path.string(), ": ", layout.cols, " samples, ", layout.rows, " lines and ",
                               layout.bands, " bands are more than any file can hold"));
  }
}

bool is_self_describing(const fs::path& data) {
  const auto extension = text::lower(data.extension().string());
  return std::find(kSelfDescribing.begin(), kSelfDescribing.end(), extension) != kSelfDescribing.end();
}

std::optional<fs::path> existing_header(const fs::path& without_extension) {
  for (const auto extension : kHeaderExtensions) {
    fs::path header = without_extension;
    header += extension;
    if (fs::is_regular_file(header)) {
      return header;
    }
  }
  return std::nullopt;
}

/// Files named like the header with a usual extension of raw data, unless they have a header of their own.
std::vector<fs::path> data_candidates(const fs::path& stem) {
  std::vector<fs::path> found;
  for (const auto extension : kDataExtensions) {
    fs::path data = stem;
    data += extension;
    if (fs::is_regular_file(data) && !existing_header(data)) {
      found.push_back(data);
    }
  }
  return found;
}

}  // namespace

EnviHeader::EnviHeader(fs::path path, std::map<std::string, Entry> entries)
    : path_(std::move(path)), entries_(std::move(entries)) {}

std::string EnviHeader::text(const std::string& key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? std::string() : entry->second.value;
}

std::string EnviHeader::place(const std::string& key) const {
  return text::cat(path_.string(), " line ", entries_.at(key).line, ": ", key);
}

std::optional<double> EnviHeader::number(const std::string& key) const {
  if (!has(key)) {
    return std::nullopt;
  }
  const auto value = parsed_number(text(key));
  if (!value) {
    throw InputError(text::cat(place(key), " = ", in_quotes(text(key)), " is not a number"));
  }
  return value;
}

std::int64_t EnviHeader::integer(const std::string& key, std::int64_t least) const {
  const auto value = number(key);
  if (!value) {
    throw InputError(text::cat(path_.string(), ": the key '", key, "' is missing"));
  }
  if (*value < static_cast<double>(least) || *value > static_cast<double>(kLargestSide) ||
      *value != static_cast<double>(static_cast<std::int64_t>(*value))) {
    throw InputError(text::cat(place(key), " = ", text(key), ": it must be a whole number from ", least,
                               " to ", kLargestSide));
  }
  return static_cast<std::int64_t>(*value);
}

std::vector<double> EnviHeader::numbers(const std::string& key) const {
  std::vector<double> values;
  for (const auto& word : split(text(key), ", \t\n\r")) {
    const auto value = parsed_number(word);
    if (!value) {
      throw InputError(text::cat(place(key), ": entry ", values.size() + 1, ", ", in_quotes(word),
                                 ", is not a number; is the list's closing } missing?"));
    }
    values.push_back(*value);
  }
  return values;
}

std::vector<double> EnviHeader::numbers_per_band(const std::string& key, std::int64_t bands) const {
  auto values = numbers(key);
  if (has(key) && static_cast<std::int64_t>(values.size()) != bands) {
    throw InputError(text::cat(place(key), " has ", values.size(), " entries for ",
                               text::counted(bands, "band"), "; it must have one a band"));
  }
  return values;
}

std::vector<std::string> EnviHeader::words(const std::string& key) const {
  return split(text(key), ",");
}

EnviHeader parse_envi_header(std::string_view text, const fs::path& path) {
  Lines lines(text);
  check_first_line(text, lines.next().value_or(""), path);
  std::map<std::string, EnviHeader::Entry> entries;
  while (const auto line = lines.next_statement()) {
    const auto equals = line->find('=');
    const auto key =
        equals == std::string_view::npos ? std::string() : normalised_key(line->substr(0, equals));
    if (key.empty()) {
      continue;
    }
    const auto number = lines.number();
    auto value = text::trimmed(line->substr(equals + 1));
    if (value.starts_with('{')) {
      value = braced_value(std::move(value), lines, key, path);
    }
    entries[key] = {std::move(value), number};
  }
  return {path, std::move(entries)};
}

EnviHeader read_envi_header(const fs::path& path) {
  return parse_envi_header(file_text(path, std::min<std::size_t>(kLargestHeader, fs::file_size(path) + 1)),
                           path);
}

bool looks_like_envi_header(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string begin(64, '\0');
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(stream.gcount()));
  std::string_view view = begin;
  if (view.starts_with(kByteOrderMark)) {
    view.remove_prefix(kByteOrderMark.size());
  }
  return text::trimmed(view).starts_with("ENVI");
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
  layout.bands = header.integer("bands", 1);
  layout.header_offset = header.has("header offset") ? header.integer("header offset", 0) : 0;
  layout.bytes_per_value = type.bytes;
  layout.data_type = type.name;
  layout.interleave = interleave(header);
  check_bytes_are_countable(layout, header.path());
  return layout;
}

std::optional<fs::path> find_envi_header(const fs::path& data) {
  if (auto own = existing_header(data)) {
    return own;
  }
  if (is_self_describing(data) || !data.has_extension()) {
    return std::nullopt;
  }
  fs::path stem = data;
  return existing_header(stem.replace_extension());
}

fs::path find_envi_data(const fs::path& header) {
  fs::path stem = header;
  stem.replace_extension();
  if (fs::is_regular_file(stem)) {
    return stem;
  }
  const auto found = data_candidates(stem);
  if (found.empty()) {
    throw InputError(text::cat(header.string(), ": the header's data file is missing: neither ",
                               stem.filename().string(), " nor ", stem.filename().string(),
                               ".img, .dat, .raw, .bil, .bip, .bsq, .bin, .cube lies beside it"));
  }
  if (found.size() > 1) {
    throw InputError(text::cat(header.string(), ": both ", found[0].filename().string(), " and ",
                               found[1].filename().string(),
                               " could be its data file; give the data file instead"));
  }
  return found[0];
}

bool has_header_extension(const fs::path& path) {
  return text::lower(path.extension().string()) == ".hdr";
}

}  // namespace hyperdefect::io
