// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "fuzz/fuzz.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/model/model_file.h"

namespace hyperdefect::fuzz {

/// Gives the file the checksum of its content, as somebody does who means to deceive.
inline void sign(const std::filesystem::path& path) {
  accepted<ModelError>([&] {
    auto content = model::read_tensors(path);
    model::add_checksum(content);
    model::write_tensors(path, content);
  });
}

}  // namespace hyperdefect::fuzz
