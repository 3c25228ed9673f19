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
std::string cat(const Parts&... parts) {
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
std::string number(double value);

/// "1 band", "3 bands".
std::string counted(std::int64_t count, std::string_view noun);

/// The length in bytes of the UTF-8 character at `at`, or 0 if none stands there (RFC 3629: no surrogates, no
/// overlong forms).
std::size_t utf8_length(std::string_view text, std::size_t at);

/// The text as UTF-8: each byte that belongs to no character becomes "\\xNN". Text that is UTF-8 stays as it
/// is.
std::string valid_utf8(std::string_view text);

/// The text as it can be shown on one line of a terminal: control characters, line ends, marks that change
/// the direction of writing, and bytes that are not UTF-8 become "\\n", "\\x1b", "\\u202e" and the like.
/// Letters of all languages stay as they are.
std::string printable(std::string_view text);

/// How many characters the UTF-8 text has; a byte that belongs to none counts as one.
std::size_t characters(std::string_view text);

/// The candidate nearest to the word by edit distance, in any case of letters, or "" where none is near
/// enough to be meant: a third of the word may differ, or two letters of it, but never more than half.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace hyperdefect::text
