// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "hyperdefect/core/window.h"
#include "hyperdefect/io/cube_info.h"
#include "hyperdefect/io/pixel_state.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::io {

/// Reads windows of a cube. A reader belongs to one thread; take one a thread.
class CubeReader {
 public:
  /// Opens the cube. @throws InputError where it cannot be opened, or is no longer what `info` says.
  explicit CubeReader(CubeInfo info, ReadOptions options = {});
  ~CubeReader();
  CubeReader(CubeReader&&) noexcept;
  CubeReader& operator=(CubeReader&&) noexcept;

  const CubeInfo& info() const { return info_; }

  /// All bands of a window, (bands, rows, cols), with one access to the file. Validity is decided on raw
  /// values: a pixel is invalid where a good band is no-data, not finite or saturated, or where all its good
  /// bands are zero. Scale and offset are applied after that, unless the options say otherwise; values of bad
  /// bands that are not finite are set to zero. @throws InputError where the file cannot be read.
  spectral::Block read(const Window& window);

  /// (rows, cols) uint8, the PixelState of every pixel of the image as the windows read so far showed it.
  const torch::Tensor& pixel_states() const { return states_; }

 private:
  struct Source;

  CubeInfo info_;
  ReadOptions options_;
  torch::Tensor states_;
  std::unique_ptr<Source> source_;
};

/// Bounds the memory in which GDAL keeps blocks of all open files.
void set_cache_bytes(std::int64_t bytes);

}  // namespace hyperdefect::io
