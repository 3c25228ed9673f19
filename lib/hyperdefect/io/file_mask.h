// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/io/cube_info.h"
#include "hyperdefect/io/gdal_dataset.h"
#include "hyperdefect/io/pixel_flags.h"

namespace hyperdefect::io {

/// What a file says about the validity of its pixels beside the values themselves: its mask, inside the file
/// or in FILE.msk beside it, for all bands or for each, and its alpha bands. Zero hides.
class FileMask {
 public:
  /// @param dataset must outlive the mask.
  /// @throws InputError if the mask is not one of this image.
  FileMask(GDALDataset& dataset, const CubeInfo& info, const ReadOptions& options);

  /// Marks as no data what the mask of all bands and the alpha bands hide. @throws InputError
  void mark_all_bands(const Window& window, PixelFlags& flags) const;
  /// Marks as no data what the mask of one band hides. @throws InputError
  void mark_band(std::int64_t band, const Window& window, PixelFlags& flags) const;

 private:
  void add(GDALRasterBand& band, std::int64_t index, const CubeInfo& info, bool values_override);

  void add_file(const std::filesystem::path& file, const CubeInfo& info);

  std::filesystem::path file_;
  /// FILE.msk if GDAL does not take it by itself.
  DatasetPtr plain_;
  /// Masks and alpha bands: zero hides.
  std::vector<GDALRasterBand*> for_all_;
  /// One a band, null if it has none; empty if no band has one.
  std::vector<GDALRasterBand*> for_band_;
};

}  // namespace hyperdefect::io
