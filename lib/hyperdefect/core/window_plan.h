// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/core/window.h"

namespace hyperdefect {

/// What a computation needs to see of an image so that its result does not depend on how the image is cut.
struct ReceptiveField {
  /// Blocks start at multiples of this many pixels (the coarsest lattice that the computation lays over the
  /// image).
  std::int64_t alignment = 1;
  /// The pixels around a window that its result depends on.
  std::int64_t halo = 0;
};

/// One step through an image: what is read, and the part of it that is kept.
struct Tile {
  Window read;
  Window write;
};

/// How large the windows of a plan may be.
struct PlanLimits {
  /// The bytes that one pixel of a window costs while it is worked on.
  std::int64_t bytes_per_pixel = 1;
  std::int64_t max_bytes = 1 << 30;
  /// Windows span whole rows if memory allows (ENVI); otherwise they are cut to multiples of the tile, or
  /// of the alignment alone if memory does not hold a tile with its halo.
  Size tile{1, 1};
};

/// Cuts an image into windows, row by row, so that each pixel is kept exactly once, each window that is read
/// starts on field.alignment, reaches field.halo beyond what is kept (or to the image's border) and, if
/// the halo and the alignment leave a choice, costs at most limits.max_bytes.
/// @throws Error if even the smallest window (one alignment cell with its halo) exceeds limits.max_bytes.
std::vector<Tile> plan_windows(Size image, const ReceptiveField& field, const PlanLimits& limits);

}  // namespace hyperdefect
