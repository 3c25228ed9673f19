// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/open_cube.h"

#include "hyperdefect/io/array_dataset.h"
#include "hyperdefect/io/raw_dataset.h"

namespace hyperdefect::io {

DatasetPtr open_cube(const CubeInfo& info, const ReadOptions& options) {
  if (info.layout) {
    return open_raw(info.path, *info.layout);
  }
  if (info.array) {
    auto file = open_arrays(info.path, options.drivers);
    return file ? open_array(std::move(file), *info.array) : nullptr;
  }
  return open_raster(info.path, options.drivers);
}

}  // namespace hyperdefect::io
