// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/config/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"

namespace hyperdefect::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Why the node cannot be a plain word at all, or "".
std::string shape_fault(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "no value is given";
    case Node::Kind::list:
      return "a list is given";
    case Node::Kind::map:
      return "a section is given";
    case Node::Kind::scalar:
      break;
  }
  return {};
}

/// As shape_fault(), for what must not stand in quotes.
std::string word_fault(const Node& node, std::string_view type) {
  const auto fault = shape_fault(node);
  if (!fault.empty() || !node.quoted) {
    return fault;
  }
  return text::concat(text::shown(node.text), " in quotes is text, not ", type);
}

/// The number without a plus sign, which std::from_chars does not take.
std::string_view unsigned_plus(std::string_view word) {
  return word.size() > 1 && word[0] == '+' && word[1] != '-' ? word.substr(1) : word;
}

/// 010 is 8 to some readers and 10 to others: neither guess is safe.
bool has_leading_zero(std::string_view word) {
  const auto digits = word.substr(word.starts_with('-') ? 1 : 0);
  return digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]);
}

std::string leading_zero_fault(std::string_view word) {
  return text::concat(text::shown(word),
                      " has a leading zero, which some readers take for octal; write it without");
}

template <class T>
std::from_chars_result read_whole(std::string_view word, T& value) {
  auto result = std::from_chars(word.data(), word.data() + word.size(), value);
  if (result.ptr != word.data() + word.size()) {
    result.ec = std::errc::invalid_argument;
  }
  return result;
}

template <class T>
std::string read_number(const Node& node, std::string_view type, T& value) {
  const auto word = unsigned_plus(node.text);
  const auto result = read_whole(word, value);
  if (result.ec == std::errc::invalid_argument) {
    return text::concat(text::shown(node.text), " is not ", type);
  }
  if (has_leading_zero(word)) {
    return leading_zero_fault(node.text);
  }
  return result.ec == std::errc{} ? std::string{}
                                  : text::concat(text::shown(node.text), " does not fit into 64 bits");
}

/// The value of a word for what no digits express, or 0.
double special_number(std::string_view text) {
  const auto word = text::lower(unsigned_plus(text));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (word == ".inf" || word == "inf") {
    return kInfinity;
  }
  if (word == "-.inf" || word == "-inf") {
    return -kInfinity;
  }
  return word == ".nan" || word == "nan" ? std::numeric_limits<double>::quiet_NaN() : 0.0;
}

bool starts_like_number(std::string_view word) {
  const auto first = word.find_first_not_of("+-.");
  return first != std::string_view::npos && is_digit(word[first]);
}

bool is_plain_char(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("_/.-+").find(c) != std::string_view::npos;
}

/// Whether every YAML reader takes the word for this very text.
bool is_safe_plain(const std::string& word) {
  static constexpr std::array<std::string_view, 12> kTaken{"true", "false", "yes",  "no",  "on",  "off",
                                                           "y",    "n",     "null", "nan", "inf", "infinity"};
  if (word.empty() || !(is_letter(word[0]) || word[0] == '_' || word[0] == '/')) {
    return false;
  }
  return std::all_of(word.begin(), word.end(), is_plain_char) &&
         std::find(kTaken.begin(), kTaken.end(), text::lower(word)) == kTaken.end();
}

}  // namespace

std::string read_scalar(const Node& node, bool& value) {
  const auto fault = word_fault(node, "true or false");
  if (!fault.empty()) {
    return fault;
  }
  value = node.text == "true";
  return value || node.text == "false" ? std::string{}
                                       : text::concat(text::shown(node.text), " is neither true nor false");
}

std::string read_scalar(const Node& node, std::int64_t& value) {
  const auto fault = word_fault(node, "an integer");
  return fault.empty() ? read_number(node, "an integer", value) : fault;
}

std::string read_scalar(const Node& node, double& value) {
  const auto fault = word_fault(node, "a number");
  if (!fault.empty()) {
    return fault;
  }
  if (starts_like_number(node.text)) {
    return read_number(node, "a number", value);
  }
  value = special_number(node.text);
  return value != 0.0 ? std::string{} : text::concat(text::shown(node.text), " is not a number");
}

std::string read_scalar(const Node& node, std::string& value) {
  auto fault = shape_fault(node);
  if (node.kind == Node::Kind::null) {
    fault += " (\"\" is empty text)";
  }
  value = node.text;
  return fault;
}

std::string write_scalar(bool value) {
  return value ? "true" : "false";
}

std::string write_scalar(std::int64_t value) {
  return std::to_string(value);
}

std::string write_scalar(double value) {
  if (std::isnan(value)) {
    return ".nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? ".inf" : "-.inf";
  }
  return text::to_text(value);
}

std::string write_scalar(const std::string& value) {
  if (is_safe_plain(value)) {
    return value;
  }
  std::string written;
  for (const char c : value) {
    written += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  }
  // YAML reads the escapes of control characters as they are written for a terminal.
  return '"' + text::printable(written) + '"';
}

}  // namespace hyperdefect::config
