// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hyperdefect::text {

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

/// The text, or of a longer one about so many bytes and an ellipsis.
std::string shortened(std::string_view text, std::size_t longest);

/// The text for a message: in single quotes, printable, shortened if it is long.
std::string shown(std::string_view text);

/// How many characters the UTF-8 text has; a byte that belongs to none counts as one.
std::size_t characters(std::string_view text);

}  // namespace hyperdefect::text
