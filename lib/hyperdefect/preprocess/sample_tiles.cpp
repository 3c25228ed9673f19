// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/sample_tiles.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hyperdefect::preprocess {
namespace {

constexpr std::int64_t kTile = 256;
constexpr std::size_t kMostTiles = 64;

}  // namespace

std::vector<SampleTile> sample_tiles(const std::vector<std::shared_ptr<BlockSource>>& sources) {
  std::vector<SampleTile> all;
  for (const auto& source : sources) {
    const auto size = source->size();
    for (std::int64_t row = 0; row < size.rows; row += kTile) {
      for (std::int64_t col = 0; col < size.cols; col += kTile) {
        all.push_back({source.get(), clipped({row, col, kTile, kTile}, size)});
      }
    }
  }
  const auto step = std::max<std::size_t>(1, (all.size() + kMostTiles - 1) / kMostTiles);
  std::vector<SampleTile> chosen;
  for (std::size_t i = 0; i < all.size(); i += step) {
    chosen.push_back(all[i]);
  }
  return chosen;
}

}  // namespace hyperdefect::preprocess
