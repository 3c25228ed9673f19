// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/cube_stamp.h"

#include <filesystem>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/engine/references.h"

namespace hyperdefect::engine {
namespace {

using Paths = std::vector<std::filesystem::path>;

/// What `find` gives; nothing if it fails, since opening the cube says why.
template <class Find>
void add_found(Paths& files, const Find& find) {
  try {
    for (const auto& file : find()) {
      if (!file.empty()) {
        files.push_back(file);
      }
    }
  } catch (const InputError&) {
  }
}

}  // namespace

files::CubeStamp stamp_of(const files::CubeInput& cube, const model::DataOptions& options) {
  Paths others;
  add_found(others, [&] {
    const auto references = references_of(cube.path, options);
    return Paths{references.white, references.dark};
  });
  add_found(others, [&] { return Paths{region_file_of(cube, options).value_or(std::filesystem::path())}; });
  return files::stamp_of(cube.path, others);
}

}  // namespace hyperdefect::engine
