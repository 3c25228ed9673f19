// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/file_mask.h"

#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/file_access.h"
#include "hyperdefect/format/file_kind.h"
#include "hyperdefect/format/gdal_dataset.h"

namespace hyperdefect::io {
namespace {

namespace fs = std::filesystem;

/// FILE.msk, if there is one. GDAL opens it with any driver, also one that reads further files; a mask is
/// always written as TIFF. @throws InputError for another format.
std::optional<fs::path> mask_file_of(const fs::path& data) {
  for (const auto* ending : {".msk", ".MSK"}) {
    fs::path file = data.string() + ending;
    if (!format::is_there(file)) {
      continue;
    }
    if (format::file_kind(file) != format::FileKind::tiff) {
      throw InputError(text::concat(file.string(), ": is taken for the mask of ", data.filename().string(),
                                    ", but is not a TIFF: move it away, or write it as a TIFF"));
    }
    return file;
  }
  return std::nullopt;
}

void check_size(GDALRasterBand& mask, const format::CubeInfo& info) {
  if (mask.GetXSize() != info.cols || mask.GetYSize() != info.rows) {
    throw InputError(text::concat(info.path.string(), ": its mask has ", mask.GetYSize(), " x ",
                                  mask.GetXSize(), " pixels (rows x cols), but the image has ", info.rows,
                                  " x ", info.cols, ": give the mask of this image, or remove it"));
  }
}

/// Marks what the band hides: a mask is read as bytes, an alpha band of any type as what is above zero.
void mark(GDALRasterBand& band, const Window& window, const fs::path& file, format::PixelFlags& flags) {
  std::vector<float> values(flags.pixels());
  const format::GdalErrors errors;
  const auto result =
      band.RasterIO(GF_Read, format::gdal_int(window.col), format::gdal_int(window.row),
                    format::gdal_int(window.cols), format::gdal_int(window.rows), values.data(),
                    format::gdal_int(window.cols), format::gdal_int(window.rows), GDT_Float32, 0, 0, nullptr);
  if (result != CE_None || errors.any()) {
    throw InputError(text::concat(file.string(), ": reading its mask, rows ", window.row, " to ",
                                  window.end_row() - 1, ", failed: ", errors.reason()));
  }
  std::vector<std::uint8_t> mask(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    mask[i] = static_cast<std::uint8_t>(values[i] > 0);
  }
  flags.mask(mask.data());
}

}  // namespace

FileMask::FileMask(GDALDataset& dataset, const format::CubeInfo& info, const format::ReadOptions& options)
    : file_(info.path) {
  const auto mask_file = mask_file_of(info.path);
  for (std::int64_t band = 0; band < info.bands.count; ++band) {
    add(*dataset.GetRasterBand(info.file_band(band)), band, info, !options.no_data.empty());
  }
  // GDAL takes only a mask file that says how it is meant, as those of GDAL do.
  if (mask_file && for_all_.empty() && for_band_.empty()) {
    add_file(*mask_file, info);
  }
  for (const int band : info.alpha_bands) {
    for_all_.push_back(dataset.GetRasterBand(band));
  }
}

void FileMask::add(GDALRasterBand& band, std::int64_t index, const format::CubeInfo& info,
                   bool values_override) {
  const int flags = band.GetMaskFlags();
  const bool per_dataset = (flags & GMF_PER_DATASET) != 0;
  const bool from_values = (flags & GMF_NODATA) != 0;
  // No-data values of single bands are compared by ourselves, alpha bands are read as such.
  if ((flags & (GMF_ALL_VALID | GMF_ALPHA)) != 0 || (from_values && (!per_dataset || values_override)) ||
      (per_dataset && index > 0)) {
    return;
  }
  auto* mask = band.GetMaskBand();
  check_size(*mask, info);
  if (per_dataset) {
    for_all_.push_back(mask);
    return;
  }
  for_band_.resize(static_cast<std::size_t>(info.bands.count), nullptr);
  for_band_[static_cast<std::size_t>(index)] = mask;
}

void FileMask::add_file(const fs::path& file, const format::CubeInfo& info) {
  const format::GdalErrors errors;
  plain_ = format::open_raster_with(file, {"GTiff"});
  if (!plain_ || plain_->GetRasterCount() == 0) {
    throw InputError(text::concat(file.string(), ": the mask of ", info.path.filename().string(),
                                  " cannot be read: ", errors.reason()));
  }
  check_size(*plain_->GetRasterBand(1), info);
  format::check_tiff_blocks(*plain_, file);
  for_all_.push_back(plain_->GetRasterBand(1));
}

void FileMask::mark_all_bands(const Window& window, format::PixelFlags& flags) const {
  for (auto* mask : for_all_) {
    mark(*mask, window, file_, flags);
  }
}

void FileMask::mark_band(std::int64_t band, const Window& window, format::PixelFlags& flags) const {
  auto* mask = for_band_.empty() ? nullptr : for_band_[static_cast<std::size_t>(band)];
  if (mask != nullptr) {
    mark(*mask, window, file_, flags);
  }
}

}  // namespace hyperdefect::io
