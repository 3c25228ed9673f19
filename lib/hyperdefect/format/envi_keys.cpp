// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/format/envi_header.h"

namespace hyperdefect::format {
namespace {

/// The keys that are read.
constexpr std::array<std::string_view, 23> kReadKeys{"samples",
                                                     "lines",
                                                     "bands",
                                                     "header offset",
                                                     "file type",
                                                     "data type",
                                                     "interleave",
                                                     "byte order",
                                                     "file compression",
                                                     "major frame offsets",
                                                     "minor frame offsets",
                                                     "wavelength",
                                                     "wavelength units",
                                                     "fwhm",
                                                     "bbl",
                                                     "band names",
                                                     "data ignore value",
                                                     "data gain values",
                                                     "data offset values",
                                                     "reflectance scale factor",
                                                     "z plot titles",
                                                     "map info",
                                                     "coordinate system string"};

/// Keys that ENVI itself knows and that are not read; they are no misspelt ones.
constexpr std::array<std::string_view, 12> kOtherKeys{"data reflectance gain values",
                                                      "data reflectance offset values",
                                                      "default bands",
                                                      "default stretch",
                                                      "sensor type",
                                                      "product type",
                                                      "class names",
                                                      "spectra names",
                                                      "projection info",
                                                      "z plot range",
                                                      "z plot average",
                                                      "geo points"};

/// Keys that have a default and decide where the values lie: a misspelt one means other pixels.
constexpr std::array<std::string_view, 5> kDecisiveKeys{"byte order", "header offset", "file compression",
                                                        "major frame offsets", "minor frame offsets"};

/// Those, and the others without whose value the pixels are taken for other ones.
constexpr std::array<std::string_view, 16> kKeysOfPixels{"byte order",
                                                         "header offset",
                                                         "file compression",
                                                         "major frame offsets",
                                                         "minor frame offsets",
                                                         "data type",
                                                         "interleave",
                                                         "samples",
                                                         "lines",
                                                         "bands",
                                                         "data ignore value",
                                                         "reflectance scale factor",
                                                         "data gain values",
                                                         "data offset values",
                                                         "bbl",
                                                         "wavelength"};

/// What other programs and people write for a key, letters and digits only.
const std::map<std::string, std::string, std::less<>>& other_words() {
  static const std::map<std::string, std::string, std::less<>> words{
      {"nodata", "data ignore value"},
      {"nodatavalue", "data ignore value"},
      {"missingvalue", "data ignore value"},
      {"fillvalue", "data ignore value"},
      {"ignorevalue", "data ignore value"},
      {"dataignore", "data ignore value"},
      {"badband", "bbl"},
      {"badbands", "bbl"},
      {"badbandlist", "bbl"},
      {"badbandslist", "bbl"},
      {"goodbands", "bbl"},
      {"bandmask", "bbl"},
      {"wavelengthsunit", "wavelength units"},
      {"wavelengthsunits", "wavelength units"},
      {"waveunits", "wavelength units"},
      {"wavelengthnm", "wavelength"},
      {"centerwavelength", "wavelength"},
      {"centerwavelengths", "wavelength"},
      {"centrewavelengths", "wavelength"},
      {"centralwavelength", "wavelength"},
      {"centralwavelengths", "wavelength"},
      {"bandcenters", "wavelength"},
      {"fwmh", "fwhm"},
      {"bandwidth", "fwhm"},
      {"bandwidths", "fwhm"},
      {"gainvalues", "data gain values"},
      {"datagain", "data gain values"},
      {"datagains", "data gain values"},
      {"dataoffset", "data offset values"},
      {"dataoffsets", "data offset values"},
      {"scalefactor", "reflectance scale factor"},
      {"reflectancescale", "reflectance scale factor"},
      {"endianness", "byte order"},
      {"nbands", "bands"},
      {"columns", "samples"},
      {"rows", "lines"},
  };
  return words;
}

/// Letters and digits only: "data_ignore-value" is "dataignorevalue".
std::string squeezed(std::string_view key) {
  std::string letters = text::lower(key);
  std::erase_if(letters, [](char c) { return (c < 'a' || c > 'z') && (c < '0' || c > '9'); });
  return letters;
}

/// Whether so few letters must be put in, taken out or changed to make `b` of `a`.
bool within_edits(std::string_view a, std::string_view b, std::size_t most) {
  while (!a.empty() && !b.empty() && a.front() == b.front()) {
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  if (a.empty() || b.empty() || most == 0) {
    return a.size() + b.size() <= most;
  }
  return within_edits(a.substr(1), b.substr(1), most - 1) || within_edits(a.substr(1), b, most - 1) ||
         within_edits(a, b.substr(1), most - 1);
}

bool resembles(std::string_view letters, std::string_view known) {
  const bool plural = letters.ends_with('s') && letters.substr(0, letters.size() - 1) == known;
  const std::size_t edits = known.size() < 5 ? 0 : known.size() < 10 ? 1 : 2;
  return plural || within_edits(letters, known, edits);
}

template <std::size_t N>
bool is_one_of(std::string_view key, const std::array<std::string_view, N>& keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// The key that is read and that this one resembles, or "".
std::string similar_key(std::string_view key) {
  static const auto squeezed_keys = [] {
    std::array<std::string, kReadKeys.size()> keys;
    std::transform(kReadKeys.begin(), kReadKeys.end(), keys.begin(), squeezed);
    return keys;
  }();
  const auto letters = squeezed(key);
  const auto known = std::find_if(squeezed_keys.begin(), squeezed_keys.end(),
                                  [&](const auto& candidate) { return resembles(letters, candidate); });
  return known == squeezed_keys.end()
             ? std::string()
             : std::string(kReadKeys[static_cast<std::size_t>(known - squeezed_keys.begin())]);
}

/// The key that is read and that was meant by this one, or "" if it stands for itself.
std::string meant_key(std::string_view key) {
  if (is_one_of(key, kReadKeys) || is_one_of(key, kOtherKeys)) {
    return {};
  }
  const auto word = other_words().find(squeezed(key));
  return word == other_words().end() ? similar_key(key) : word->second;
}

bool is_zero(const std::string& value) {
  double number = 1;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number == 0;
}

void check_key(const EnviHeader& header, const std::string& key, const EnviHeader::Entry& entry) {
  const auto meant = meant_key(key);
  if (meant.empty() || header.has(meant)) {
    return;
  }
  const auto where =
      text::concat(header.path().string(), " line ", entry.line, ": unknown key ", text::shown(key));
  if (is_one_of(meant, kDecisiveKeys) && similar_key(key) == meant && !is_zero(entry.value)) {
    throw InputError(
        text::concat(where, "; if '", meant, "' is meant, write it like that; otherwise rename the key"));
  }
  log::warning(text::concat(where, " is ignored; did you mean '", meant, "'?"));
}

/// The key that a line without a statement seems to be about, or "".
std::string key_in(const EnviHeader::Overlooked& line) {
  const auto end = line.text.find_first_of("=:");
  const auto name = line.text.substr(0, end);
  if (end != std::string::npos) {
    return similar_key(name);
  }
  const auto letters = squeezed(name);
  const auto known = std::find_if(kDecisiveKeys.begin(), kDecisiveKeys.end(),
                                  [&](auto key) { return letters.starts_with(squeezed(key)); });
  return known == kDecisiveKeys.end() ? std::string() : std::string(*known);
}

void check_is_no_value(const EnviHeader& header, const EnviHeader::Overlooked& line) {
  if (is_one_of(line.value_of, kKeysOfPixels) && !header.has(line.value_of)) {
    throw InputError(text::concat(header.path().string(), " line ", line.line, ": the value of '",
                                  line.value_of, "' is on the next line: write it after the ="));
  }
}

/// @returns whether the line was told of.
bool check_line(const EnviHeader& header, const EnviHeader::Overlooked& line) {
  const auto key = key_in(line);
  if (!line.list.empty() && (key.empty() || header.has(key))) {
    return false;
  }
  const auto where = text::concat(header.path().string(), " line ", line.line, ": ", text::shown(line.text));
  const auto why = line.list.empty() ? std::string(" is not of the form `key = value`")
                                     : text::concat(" is inside the list ", text::shown(line.list));
  const auto mend = line.list.empty() ? std::string("write it as `key = value`, or remove it")
                                      : std::string("add the missing } before it");
  if (is_one_of(key, kDecisiveKeys) && !header.has(key)) {
    throw InputError(text::concat(where, why, ", so '", key, "' is not stated; ", mend));
  }
  log::warning(text::concat(where, why, " and is ignored; ", mend));
  return true;
}

}  // namespace

void check_overlooked_keys(const EnviHeader& header) {
  for (const auto& [key, entry] : header.entries()) {
    check_key(header, key, entry);
  }
  bool told = false;
  for (const auto& line : header.overlooked()) {
    check_is_no_value(header, line);
    if (!told || !key_in(line).empty()) {
      told = check_line(header, line) || told;
    }
  }
}

}  // namespace hyperdefect::format
