// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::engine {

/// A block of a training cube, and where it comes from.
struct TrainingBlock {
  preprocess::Preprocessed pixels;
  std::size_t source;
  Tile tile;
};

/// The training cubes, cut into blocks. Which pixels count in a pass, and once each, does not depend on how
/// they are cut.
///
///     const TrainingBlocks blocks(detector, sources, 4096, {}, 1'000'000);
///     std::int64_t pixels = 0;
///     blocks.for_each("count", monitor, [&](const TrainingBlock& block) {
///       pixels += block.pixels.counted().sum().item<std::int64_t>();
///     });
class TrainingBlocks {
 public:
  using Sources = std::vector<std::shared_ptr<preprocess::BlockSource>>;

  /// @param field what a pass has to see around a pixel.
  /// @param max_pixels if the cubes hold more, an even choice of tiles of 256 x 256 pixels counts.
  TrainingBlocks(const detector::Pipeline& detector, const Sources& sources, std::int64_t ram_mb,
                 const ReceptiveField& field, std::int64_t max_pixels);

  /// Tiles that no memory changes: what is learned from them is the same, bit by bit, however much there is.
  struct FixedTiles {
    /// Side of a tile; 0: strips of whole rows.
    std::int64_t side_px = 0;
    /// What a pass has to see around a pixel.
    std::int64_t reach_px = 0;
    /// If the cubes hold more pixels, an even choice of tiles counts.
    std::int64_t max_pixels = 0;
  };
  static TrainingBlocks fixed(const detector::Pipeline& detector, const Sources& sources,
                              const FixedTiles& tiles);

  /// Whether one block holds all that counts.
  bool is_one_block() const { return pieces_.size() == 1; }
  /// Reads the blocks one after the other and hands each to `use`.
  /// @param task what the monitor calls the pass. @throws Interrupted if it asks to stop.
  void for_each(const std::string& task, ProgressMonitor& monitor,
                const std::function<void(const TrainingBlock& block)>& use) const;

 private:
  struct Piece {
    std::size_t source;
    Tile tile;
  };

  TrainingBlocks(const detector::Pipeline& detector, const Sources& sources, std::int64_t max_pixels);
  torch::Tensor counted(const Piece& piece) const;

  const detector::Pipeline& detector_;
  const Sources& sources_;
  std::vector<Piece> pieces_;
  /// Every step-th tile counts; the first tile of each source among those of all.
  std::int64_t step_ = 1;
  std::vector<std::int64_t> first_tiles_;
};

}  // namespace hyperdefect::engine
