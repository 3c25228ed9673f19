// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/envi_header.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <locale>
#include <sstream>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::format {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::int64_t kLargestSide = 0x7fffffff;
constexpr std::uintmax_t kLargestHeader = std::uintmax_t{1} << 26;
/// Of the key of a list that lines are overlooked in; more of it would be held once for each of them.
constexpr std::size_t kLongestKey = 100;
/// Lines that state nothing are kept only to be told of.
constexpr std::size_t kMostOverlooked = 1000;

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

/// What is left of a number that float64 cannot hold: 0 or infinity. A mark of missing data may be rounded to
/// -1.8e+308.
double beyond_range(std::string_view word) {
  std::istringstream stream{std::string(word)};
  stream.imbue(std::locale::classic());
  double value = 0;
  stream >> value;
  return stream ? value : std::copysign(std::numeric_limits<double>::infinity(), value);
}

std::optional<double> parsed_number(std::string_view word) {
  if (word.starts_with('+') && !word.starts_with("+-")) {
    word.remove_prefix(1);
  }
  double value = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failure == std::errc::invalid_argument || end != word.data() + word.size()) {
    return std::nullopt;
  }
  return failure == std::errc() ? value : beyond_range(word);
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
    const auto end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end);
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, rest_.size()));
    ++number_;
    return line;
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
  const auto refuse = [&](std::string_view why) { throw InputError(text::concat(path.string(), ": ", why)); };
  if (header.starts_with(kByteOrderMark)) {
    refuse("a byte order mark comes before ENVI; save the header as text without one");
  }
  if (text::trimmed(header).starts_with("ENVI")) {
    refuse("the first line must be exactly ENVI; remove the blanks around it");
  }
  if (is_esri_header(header)) {
    refuse(
        "is an ESRI header, not an ENVI header (whose first line is ENVI); convert the image to ENVI or "
        "GeoTIFF");
  }
  refuse(text::concat("is not an ENVI header: its first line is ", text::shown(text::trimmed(line)),
                      ", not ENVI"));
}

/// Collects what a header states, line by line.
class Parser {
 public:
  Parser(std::string_view text, fs::path path) : lines_(text), path_(std::move(path)) {
    check_first_line(text, lines_.next().value_or(""), path_);
  }

  EnviHeader parse() {
    while (const auto line = lines_.next_statement()) {
      take(*line);
    }
    return {std::move(path_), std::move(entries_), std::move(overlooked_)};
  }

 private:
  void take(std::string_view line) {
    const auto equals = line.find('=');
    auto key = normalised_key(line.substr(0, equals));
    if (equals == std::string_view::npos || key.empty()) {
      overlook(line, "");
      return;
    }
    valueless_.clear();
    EnviHeader::Entry entry{text::trimmed(line.substr(equals + 1)), lines_.number(), "", 0};
    if (entry.value.starts_with('{')) {
      read_braces(key, entry);
    }
    keep(std::move(key), std::move(entry));
  }

  /// Reads on to the brace that closes the one which opens the value.
  void read_braces(const std::string& key, EnviHeader::Entry& entry) {
    std::string value = entry.value.substr(1);
    auto close = value.find('}');
    while (close == std::string::npos) {
      const auto line = lines_.next_statement();
      if (!line) {
        throw InputError(text::concat(path_.string(), " line ", entry.line, ": the list ", text::shown(key),
                                      " is not closed; add the missing }"));
      }
      if (line->find('=') != std::string_view::npos) {
        overlook(*line, key);
      }
      const auto begin = value.size() + 1;
      value.append(1, '\n').append(*line);
      close = value.find('}', begin);
    }
    entry.rest = text::trimmed(std::string_view(value).substr(close + 1));
    entry.value = text::trimmed(std::string_view(value).substr(0, close));
  }

  /// A key without a value states nothing, also where it stands a second time.
  void keep(std::string key, EnviHeader::Entry entry) {
    if (entry.value.empty() && entry.rest.empty()) {
      valueless_ = std::move(key);
      return;
    }
    const auto [known, is_new] = entries_.try_emplace(std::move(key), entry);
    if (!is_new) {
      const auto& before = known->second;
      entry.other_line = before.value != entry.value ? before.line : before.other_line;
      known->second = std::move(entry);
    }
  }

  void overlook(std::string_view line, const std::string& list) {
    if (auto text = text::trimmed(line); !text.empty() && overlooked_.size() < kMostOverlooked) {
      overlooked_.push_back(
          {std::move(text), lines_.number(), list.substr(0, kLongestKey), std::exchange(valueless_, {})});
    }
  }

  Lines lines_;
  /// The key of the statement before, if it has no value.
  std::string valueless_;
  fs::path path_;
  std::map<std::string, EnviHeader::Entry> entries_;
  std::vector<EnviHeader::Overlooked> overlooked_;
};

std::string file_text(const fs::path& path) {
  std::error_code unknown;
  const auto size = fs::file_size(path, unknown);
  if (!unknown && size > kLargestHeader) {
    throw InputError(text::concat(path.string(), ": has ", size, " bytes; a header may have at most ",
                                  kLargestHeader, ": is it the data file?"));
  }
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(unknown ? 0 : size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (bytes.empty() || stream.gcount() == 0) {
    throw InputError(text::concat(path.string(), ": cannot be read, or is empty"));
  }
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

}  // namespace

EnviHeader::EnviHeader(fs::path path, std::map<std::string, Entry> entries,
                       std::vector<Overlooked> overlooked)
    : path_(std::move(path)), entries_(std::move(entries)), overlooked_(std::move(overlooked)) {}

std::string EnviHeader::place(const std::string& key) const {
  return text::concat(path_.string(), " line ", entries_.at(key).line, ": ", key);
}

const EnviHeader::Entry* EnviHeader::stated(const std::string& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return nullptr;
  }
  const auto& entry = found->second;
  if (entry.other_line != 0) {
    throw InputError(text::concat(place(key), " has another value on line ", entry.other_line,
                                  "; remove one of the two lines"));
  }
  if (!entry.rest.empty()) {
    throw InputError(text::concat(place(key), ": ", text::shown(entry.rest),
                                  " comes after the closing }; remove it, or move it before the }"));
  }
  return &entry;
}

std::string EnviHeader::text(const std::string& key) const {
  const auto* entry = stated(key);
  return entry == nullptr ? std::string() : entry->value;
}

std::optional<double> EnviHeader::number(const std::string& key) const {
  const auto* entry = stated(key);
  if (entry == nullptr) {
    return std::nullopt;
  }
  const auto value = parsed_number(entry->value);
  if (!value) {
    throw InputError(text::concat(place(key), " = ", text::shown(entry->value), " is not a number"));
  }
  return value;
}

std::int64_t EnviHeader::integer(const std::string& key, std::int64_t least) const {
  const auto value = number(key);
  if (!value) {
    throw InputError(text::concat(path_.string(), ": the key '", key, "' is missing"));
  }
  // NaN fails every comparison: the number must be shown to be in range before it is cast.
  const bool in_range = *value >= static_cast<double>(least) && *value <= static_cast<double>(kLargestSide);
  if (!in_range || *value != std::floor(*value)) {
    throw InputError(text::concat(place(key), " = ", text::to_text(*value),
                                  ": it must be a whole number from ", least, " to ", kLargestSide));
  }
  return static_cast<std::int64_t>(*value);
}

std::vector<double> EnviHeader::numbers(const std::string& key) const {
  std::vector<double> values;
  for (const auto& word : split(text(key), ", \t\n\r")) {
    const auto value = parsed_number(word);
    if (!value) {
      throw InputError(text::concat(place(key), ": entry ", values.size() + 1, ", ", text::shown(word),
                                    ", is not a number; is the list's closing } missing?"));
    }
    if (!std::isfinite(*value)) {
      throw InputError(text::concat(place(key), ": entry ", values.size() + 1, ", ", text::shown(word),
                                    ", is not finite; correct it, or remove the list"));
    }
    values.push_back(*value);
  }
  return values;
}

std::vector<double> EnviHeader::numbers_per_band(const std::string& key, std::int64_t bands) const {
  auto values = numbers(key);
  if (has(key) && static_cast<std::int64_t>(values.size()) != bands) {
    throw InputError(text::concat(place(key), " has ", values.size(), " entries for ",
                                  text::pluralise(bands, "band"), "; it must have one per band"));
  }
  return values;
}

std::vector<std::string> EnviHeader::words(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::vector<std::string>() : split(found->second.value, ",");
}

EnviHeader parse_envi_header(std::string_view text, const fs::path& path) {
  if (const auto at = text.find('\0'); at != std::string_view::npos) {
    throw InputError(
        text::concat(path.string(), ": byte ", at + 1,
                     " is zero, so this is not a text file; save the header as plain text (UTF-8)"));
  }
  return Parser(text, path).parse();
}

EnviHeader read_envi_header(const fs::path& path) {
  return parse_envi_header(file_text(path), path);
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

}  // namespace hyperdefect::format
