// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/core/utf8.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hyperdefect::text {
namespace {

unsigned char byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

/// A byte of a character that is not its first.
bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
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

std::string shortened(std::string_view text, std::size_t longest) {
  auto cut = std::min(text.size(), longest);
  while (cut > 0 && cut < text.size() && is_continuation(text[cut])) {
    --cut;
  }
  return std::string(text.substr(0, cut)) + (cut < text.size() ? "…" : "");
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  return '\'' + printable(shortened(text, kLongest)) + '\'';
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); i += std::max<std::size_t>(utf8_length(text, i), 1)) {
    ++count;
  }
  return count;
}

}  // namespace hyperdefect::text
