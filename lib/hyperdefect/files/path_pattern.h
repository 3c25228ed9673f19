// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace hyperdefect::files {

/// Limits of a pattern: what is longer, or means more, belongs into a list file.
constexpr std::size_t kLongestPattern = 16384;
constexpr std::size_t kMostAlternatives = 1000;
constexpr int kDeepestBraces = 32;

/// Called for each step of a search; ends the search by an exception.
using SearchStep = std::function<void()>;

/// Whether the text has a character that means something in a pattern: * ? [ {.
bool has_wildcard(const std::string& text);

/// The patterns that {a,b} stands for, in their order; braces may be nested. Braces without a comma and
/// braces that are not closed stand for themselves, as in a shell; so does what follows a backslash.
/// @throws InputError if a limit is exceeded, before anything is expanded.
std::vector<std::string> expand_braces(const std::string& pattern);

/// The folders of a pattern before its first wildcard.
std::filesystem::path fixed_part(const std::filesystem::path& pattern);

/// The files and folders that a pattern without braces matches, below `start` if it is relative, each once
/// and sorted by name. * ? [a-z] match within one name, and a leading dot only if the pattern has it. A
/// folder on the way that cannot be searched is handed out itself, so that it is not passed over in silence.
/// @throws InputError for `**`.
std::vector<std::filesystem::path> matches(const std::filesystem::path& pattern,
                                           const std::filesystem::path& start, const SearchStep& step);

}  // namespace hyperdefect::files
