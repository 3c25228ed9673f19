// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace hyperdefect::io {

/// Checks that a cube's file can be opened, without opening it. @throws InputError that says what is there
/// instead: nothing, a folder, a link that leads nowhere, a pipe or a device (which could be waited for
/// forever), or a file without the permission to read it.
void check_is_readable_file(const std::filesystem::path& path);

}  // namespace hyperdefect::io
