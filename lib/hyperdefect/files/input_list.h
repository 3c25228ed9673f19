// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "hyperdefect/files/path_pattern.h"

namespace hyperdefect::files {

/// Limits of a list.
constexpr std::size_t kMostListLines = 1'000'000;
constexpr std::size_t kLongestListLine = 4096;
constexpr std::size_t kMostListBytes = std::size_t{1} << 28;

/// The inputs that a text file names, one per line, without empty lines and lines that begin with #. Lines
/// end with LF or CR LF; a byte order mark before the first one is passed over. Blanks around a line are
/// taken off, unless a file of the list's folder has them in its name.
/// @throws InputError with the line for what no name can be, and if a limit is exceeded.
std::vector<std::string> read_input_list(const std::filesystem::path& list, const SearchStep& step);

}  // namespace hyperdefect::files
