// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <locale>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace hyperdefect::text {

/// Its arguments, written one after the other as by operator<<, whatever the global locale is.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  (stream << ... << parts);
  return stream.str();
}

/// The parts with the separator between them.
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// The text without blanks, tabs and line ends at both ends.
std::string trimmed(std::string_view text);

/// The text in lower case (ASCII).
std::string lower(std::string_view text);

bool ends_with_ignoring_case(std::string_view text, std::string_view ending);

/// The shortest decimal text that reads back as the same number; "nan", "inf", "-inf".
std::string to_text(double value);

/// A number as a person reads it, rounded to two digits: "0.0012", "1.2e-07".
std::string two_digits(double value);

/// "1 band", "3 bands".
std::string pluralise(std::int64_t count, std::string_view noun);

/// The candidate nearest to the word by edit distance, in any case of letters, or "" if none is near
/// enough to be meant: a third of the word may differ, or two letters of it, but never more than half.
std::string closest_match(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace hyperdefect::text
