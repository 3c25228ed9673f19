// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::preprocess {

/// A piece of a source.
struct SampleTile {
  BlockSource* source;
  Window window;
};

/// At most 64 tiles of 256 x 256 pixels, evenly spread over all sources: what is measured on them does not
/// depend on how much memory a run may take.
std::vector<SampleTile> sample_tiles(const std::vector<std::shared_ptr<BlockSource>>& sources);

}  // namespace hyperdefect::preprocess
