// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace hyperdefect::format {

/// Whether something is there, behind links too. What cannot be looked at (a name that is too long, a folder
/// that is closed) is not there: none of these functions throws.
bool is_there(const std::filesystem::path& path);
/// The same of the name alone: a link that leads nowhere is there.
bool is_named(const std::filesystem::path& path);
/// Whether both are the same file.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);
/// Whether it is a regular file.
bool is_file(const std::filesystem::path& path);
/// Its bytes, if it is a file.
std::optional<std::uintmax_t> size_of_file(const std::filesystem::path& path);

/// Checks that a cube's file can be opened, without opening it. @throws InputError that says what is there
/// instead: nothing, a folder, a link that leads nowhere, a pipe or a device (which could be waited for
/// forever), or a file without the permission to read it.
void check_is_readable_file(const std::filesystem::path& path);

}  // namespace hyperdefect::format
