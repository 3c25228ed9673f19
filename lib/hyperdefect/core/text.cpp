// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

namespace hyperdefect::text {
namespace {

char lower_char(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

unsigned char byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

/// The code point of the character of this many bytes.
char32_t code_point(std::string_view character) {
  constexpr std::array<unsigned char, 5> kPayload{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = byte_at(character, 0) & kPayload.at(character.size());
  for (std::size_t i = 1; i < character.size(); ++i) {
    code = code << 6 | (byte_at(character, i) & 0x3F);
  }
  return code;
}

std::string hex_digits(char32_t value, int digits) {
  std::string hex;
  for (int i = digits - 1; i >= 0; --i) {
    hex += "0123456789abcdef"[value >> (4 * i) & 15];
  }
  return hex;
}

std::string byte_escape(char c) {
  return "\\x" + hex_digits(static_cast<unsigned char>(c), 2);
}

/// Characters that move the cursor, end the line, or change the order in which others are shown.
bool is_control(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 8> kRanges{{{0x00, 0x1F},
                                                                  {0x7F, 0x9F},
                                                                  {0x061C, 0x061C},
                                                                  {0x200E, 0x200F},
                                                                  {0x2028, 0x202E},
                                                                  {0x2066, 0x2069},
                                                                  {0xFEFF, 0xFEFF},
                                                                  {0xFFF9, 0xFFFB}}};
  return std::any_of(kRanges.begin(), kRanges.end(),
                     [code](const auto& range) { return code >= range.first && code <= range.second; });
}

std::string control_escape(char32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return code < 0x80 ? byte_escape(static_cast<char>(code)) : "\\u" + hex_digits(code, 4);
  }
}

/// The text with each character that `is_escaped` names, and each byte that is none, as an escape.
template <class IsEscaped>
std::string with_escapes(std::string_view text, IsEscaped is_escaped) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    const auto character = text.substr(i, std::max<std::size_t>(length, 1));
    if (length == 0) {
      result += byte_escape(text[i]);
    } else if (const auto code = code_point(character); is_escaped(code)) {
      result += control_escape(code);
    } else {
      result += character;
    }
    i += character.size();
  }
  return result;
}

}  // namespace

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) {
      joined += separator;
    }
    joined += parts[i];
  }
  return joined;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower_char);
  return result;
}

bool ends_with_ignoring_case(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && lower(text.substr(text.size() - ending.size())) == lower(ending);
}

std::string number(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return std::string(buffer.data(), end);
}

std::string counted(std::int64_t count, std::string_view noun) {
  return cat(count, ' ', noun, count == 1 ? "" : "s");
}

// The ranges of each byte: table 3-7 of the Unicode standard.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const unsigned char first = byte_at(text, at);
  if (first < 0x80) {
    return at < text.size() ? 1 : 0;
  }
  if (first < 0xC2 || first > 0xF4) {
    return 0;
  }
  const unsigned char second = byte_at(text, at + 1);
  const unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < lowest || second > highest) {
    return 0;
  }
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (std::size_t k = 2; k < length; ++k) {
    if ((byte_at(text, at + k) & 0xC0) != 0x80) {
      return 0;
    }
  }
  return length;
}

std::string valid_utf8(std::string_view text) {
  return with_escapes(text, [](char32_t) { return false; });
}

std::string printable(std::string_view text) {
  return with_escapes(text, is_control);
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); i += std::max<std::size_t>(utf8_length(text, i), 1)) {
    ++count;
  }
  return count;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max(word.size() / 3, std::min<std::size_t>(2, word.size() / 2)) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(lower(word), lower(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace hyperdefect::text
