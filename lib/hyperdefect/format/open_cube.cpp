// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/open_cube.h"

#include "hyperdefect/format/array_dataset.h"
#include "hyperdefect/format/raw_dataset.h"

namespace hyperdefect::format {

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

}  // namespace hyperdefect::format
