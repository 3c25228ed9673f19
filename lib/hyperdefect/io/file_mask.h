// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/format/gdal_dataset.h"
#include "hyperdefect/format/pixel_flags.h"

namespace hyperdefect::io {

/// What a file says about the validity of its pixels beside the values themselves: its mask, inside the file
/// or in FILE.msk beside it, for all bands or for each, and its alpha bands. Zero hides.
class FileMask {
 public:
  /// @param dataset must outlive the mask.
  /// @throws InputError if the mask is not one of this image.
  FileMask(GDALDataset& dataset, const format::CubeInfo& info, const format::ReadOptions& options);

  /// Marks as no data what the mask of all bands and the alpha bands hide. @throws InputError
  void mark_all_bands(const Window& window, format::PixelFlags& flags) const;
  /// Marks as no data what the mask of one band hides. @throws InputError
  void mark_band(std::int64_t band, const Window& window, format::PixelFlags& flags) const;

 private:
  void add(GDALRasterBand& band, std::int64_t index, const format::CubeInfo& info, bool values_override);

  void add_file(const std::filesystem::path& file, const format::CubeInfo& info);

  std::filesystem::path file_;
  /// FILE.msk if GDAL does not take it by itself.
  format::DatasetPtr plain_;
  /// Masks and alpha bands: zero hides.
  std::vector<GDALRasterBand*> for_all_;
  /// One a band, null if it has none; empty if no band has one.
  std::vector<GDALRasterBand*> for_band_;
};

}  // namespace hyperdefect::io
