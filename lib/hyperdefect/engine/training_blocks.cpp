// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/training_blocks.h"

#include <algorithm>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/image/crop.h"

namespace hyperdefect::engine {
namespace {

constexpr std::int64_t kTilePx = 256;
/// With 200 bands a strip fits into the smallest memory that a user can set.
constexpr std::int64_t kStripPixels = 9216;

std::int64_t tiles_along(std::int64_t pixels) {
  return (pixels + kTilePx - 1) / kTilePx;
}

/// With so many pixels around it, as far as the image goes.
Window grown(const Window& window, std::int64_t by, Size image) {
  const auto row = std::max<std::int64_t>(0, window.row - by);
  const auto col = std::max<std::int64_t>(0, window.col - by);
  return clipped({row, col, window.end_row() + by - row, window.end_col() + by - col}, image);
}

}  // namespace

TrainingBlocks::TrainingBlocks(const detector::Pipeline& detector, const Sources& sources,
                               std::int64_t max_pixels)
    : detector_(detector), sources_(sources) {
  std::int64_t pixels = 0;
  std::int64_t tiles = 0;
  for (const auto& source : sources) {
    const auto size = source->size();
    first_tiles_.push_back(tiles);
    pixels += size.pixels();
    tiles += tiles_along(size.rows) * tiles_along(size.cols);
  }
  step_ = std::max<std::int64_t>(1, (pixels + max_pixels - 1) / max_pixels);
}

TrainingBlocks::TrainingBlocks(const detector::Pipeline& detector, const Sources& sources,
                               std::int64_t ram_mb, const ReceptiveField& field, std::int64_t max_pixels)
    : TrainingBlocks(detector, sources, max_pixels) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (const auto& tile : plan_for(detector, *sources[i], ram_mb, field)) {
      if (const Piece piece{i, tile}; counted(piece).any().item<bool>()) {
        pieces_.push_back(piece);
      }
    }
  }
}

TrainingBlocks TrainingBlocks::fixed(const detector::Pipeline& detector, const Sources& sources,
                                     const FixedTiles& tiles) {
  TrainingBlocks blocks(detector, sources, std::numeric_limits<std::int64_t>::max() / 2);
  std::vector<Piece> all;
  std::int64_t pixels = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto size = sources[i]->size();
    const auto cols = tiles.side_px > 0 ? tiles.side_px : size.cols;
    const auto rows = tiles.side_px > 0 ? tiles.side_px : std::max<std::int64_t>(1, kStripPixels / size.cols);
    pixels += size.pixels();
    for (std::int64_t row = 0; row < size.rows; row += rows) {
      for (std::int64_t col = 0; col < size.cols; col += cols) {
        const auto tile = clipped({row, col, rows, cols}, size);
        all.push_back({i, {grown(tile, tiles.reach_px, size), tile}});
      }
    }
  }
  const auto step = std::max<std::int64_t>(1, (pixels + tiles.max_pixels - 1) / tiles.max_pixels);
  for (std::size_t i = 0; i < all.size(); i += static_cast<std::size_t>(step)) {
    blocks.pieces_.push_back(all[i]);
  }
  return blocks;
}

/// (rows, cols) bool of what is read.
torch::Tensor TrainingBlocks::counted(const Piece& piece) const {
  const auto& [read, write] = piece.tile;
  auto counted = torch::zeros({read.rows, read.cols}, torch::kBool);
  auto inside = image::crop(counted, {write.row - read.row, write.col - read.col, write.rows, write.cols});
  const auto along = [](std::int64_t first, std::int64_t count) {
    return torch::arange(first, first + count, torch::kLong).floor_divide(kTilePx);
  };
  const auto per_row = tiles_along(sources_[piece.source]->size().cols);
  const auto rows = along(write.row, write.rows) * per_row + first_tiles_[piece.source];
  const auto tiles = rows.unsqueeze(1) + along(write.col, write.cols).unsqueeze(0);
  inside.copy_(tiles.remainder(step_).eq(0));
  return counted;
}

void TrainingBlocks::for_each(const std::string& task, ProgressMonitor& monitor,
                              const std::function<void(const TrainingBlock& block)>& use) const {
  const auto count = static_cast<std::int64_t>(pieces_.size());
  monitor.progress({task, 0, count, {}});
  for (std::int64_t i = 0; i < count; ++i) {
    if (monitor.stop_requested()) {
      throw Interrupted(text::concat("stopped in the ", task, " pass"));
    }
    const auto& piece = pieces_[static_cast<std::size_t>(i)];
    auto& source = *sources_[piece.source];
    auto block = detector_.picker(source.bands()).of(source.read(piece.tile.read));
    block.cube = static_cast<std::int64_t>(piece.source);
    use({detector_.preprocessed(block, counted(piece)), piece.source, piece.tile});
    monitor.progress({task, i + 1, count, {}});
  }
}

}  // namespace hyperdefect::engine
