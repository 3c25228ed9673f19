// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "hyperdefect/core/window.h"

namespace hyperdefect::io {

/// The size that an image must have because it belongs to another file: "its cube scan.img".
struct ExpectedSize {
  Size size;
  std::string of;
};

/// @throws InputError with both sizes if they differ.
void check_size(const std::filesystem::path& path, const Size& size, const ExpectedSize& expected);

}  // namespace hyperdefect::io
