// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/mask_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/gdal_dataset.h"
#include "hyperdefect/image/crop.h"

namespace hyperdefect::io {
namespace {

namespace fs = std::filesystem;

/// An image with more bands is a cube given for a mask.
constexpr std::size_t kMostBands = 64;
/// Pixels of a band that are read at once.
constexpr std::int64_t kPixelsAtOnce = 1 << 18;
constexpr std::int64_t kPalette = 256;

format::DatasetPtr open_mask(const fs::path& path) {
  const format::GdalErrors errors;
  auto dataset = format::open_raster(path);
  if (!dataset) {
    throw InputError(text::concat(path.string(), ": the mask cannot be read: ", errors.reason()));
  }
  format::check_one_page(*dataset, path);
  return dataset;
}

Size size_of(GDALDataset& dataset) {
  return {dataset.GetRasterYSize(), dataset.GetRasterXSize()};
}

std::vector<int> bands_of(GDALDataset& dataset, const fs::path& path) {
  auto bands = format::band_numbers(dataset).spectral;
  if (bands.size() > kMostBands) {
    throw InputError(text::concat(path.string(), ": a mask has at most ", kMostBands,
                                  " bands, but this file has ", bands.size(),
                                  ": give the mask, not the cube"));
  }
  return bands;
}

/// Windows of whole rows of blocks, as far as the blocks are not absurd.
std::vector<Window> windows_of(GDALRasterBand& band) {
  int block_cols = 0;
  int block_rows = 0;
  band.GetBlockSize(&block_cols, &block_rows);
  const Size size{band.GetYSize(), band.GetXSize()};
  const auto fitting = std::max<std::int64_t>(1, kPixelsAtOnce / size.cols);
  const auto rows = fitting >= block_rows ? fitting / block_rows * block_rows : fitting;
  std::vector<Window> windows;
  for (std::int64_t row = 0; row < size.rows; row += rows) {
    windows.push_back(clipped({row, 0, rows, size.cols}, size));
  }
  return windows;
}

bool is_black(const GDALColorEntry& colour) {
  return colour.c1 == 0 && colour.c2 == 0 && colour.c3 == 0;
}

struct MaskWords {
  const char* marked;
  const char* others;
};

MaskWords words_for(MaskOf marks) {
  return marks == MaskOf::defects ? MaskWords{"defects", "normal"} : MaskWords{"the product", "outside"};
}

/// What the values of one band mark.
class MaskBand {
 public:
  explicit MaskBand(GDALRasterBand& band) : band_(band), no_data_(format::no_data_of(band)) {}

  CPLErr add(const Window& window, torch::Tensor& mask) {
    auto values = torch::empty({window.rows, window.cols}, torch::kFloat64);
    const auto result = band_.RasterIO(GF_Read, format::gdal_int(window.col), format::gdal_int(window.row),
                                       format::gdal_int(window.cols), format::gdal_int(window.rows),
                                       values.data_ptr(), format::gdal_int(window.cols),
                                       format::gdal_int(window.rows), GDT_Float64, 0, 0, nullptr);
    image::crop(mask, window).logical_or_(values.ne(0));
    count(values);
    return result;
  }

  void warn(const fs::path& path, const MaskWords& words) const {
    const auto advice =
        text::concat(" and count as ", words.marked, ": a mask marks ", words.others, " pixels with 0");
    if (no_data_pixels_ > 0) {
      log::warning(text::concat(path.string(), ": ", text::pluralise(no_data_pixels_, "pixel"),
                                " of the mask hold its no-data value ", text::to_text(*no_data_), advice));
    }
    if (nan_pixels_ > 0) {
      log::warning(text::concat(path.string(), ": ", text::pluralise(nan_pixels_, "pixel"),
                                " of the mask hold NaN", advice));
    }
    if (colours_contradict()) {
      log::warning(text::concat(
          path.string(), ": the mask has a palette whose colours do not agree with its values: value 0 is ",
          "taken as ", words.others, " and all others as ", words.marked, ", whatever their colours"));
    }
  }

 private:
  void count(const torch::Tensor& values) {
    nan_pixels_ += values.isnan().sum().item<std::int64_t>();
    if (no_data_ && *no_data_ != 0 && !std::isnan(*no_data_)) {
      no_data_pixels_ += values.eq(*no_data_).sum().item<std::int64_t>();
    }
    if (band_.GetColorTable() != nullptr) {
      const auto* v = values.const_data_ptr<double>();
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        used_[static_cast<std::size_t>(std::clamp(v[i], 0.0, kPalette - 1.0))] = true;
      }
    }
  }

  /// A value above zero that is shown in black, beside a zero that is not.
  bool colours_contradict() const {
    auto* palette = band_.GetColorTable();
    if (palette == nullptr || !used_[0] || is_black(*palette->GetColorEntry(0))) {
      return false;
    }
    const int entries = std::min(palette->GetColorEntryCount(), static_cast<int>(kPalette));
    for (int i = 1; i < entries; ++i) {
      if (used_[static_cast<std::size_t>(i)] && is_black(*palette->GetColorEntry(i))) {
        return true;
      }
    }
    return false;
  }

  GDALRasterBand& band_;
  std::optional<double> no_data_;
  std::int64_t no_data_pixels_ = 0;
  std::int64_t nan_pixels_ = 0;
  std::array<bool, kPalette> used_{};
};

}  // namespace

Size mask_size(const fs::path& path) {
  return size_of(*open_mask(path));
}

torch::Tensor read_mask(const fs::path& path, const std::optional<ExpectedSize>& expected, MaskOf marks) {
  const auto dataset = open_mask(path);
  const auto size = size_of(*dataset);
  if (expected) {
    check_size(path, size, *expected);
  }
  format::check_tiff_blocks(*dataset, path);
  const format::GdalErrors errors;
  std::vector<MaskBand> bands;
  for (const int number : bands_of(*dataset, path)) {
    bands.emplace_back(*dataset->GetRasterBand(number));
  }
  auto mask = torch::zeros({size.rows, size.cols}, torch::kBool);
  bool whole = true;
  for (const auto& window : windows_of(*dataset->GetRasterBand(1))) {
    for (auto& band : bands) {
      whole = band.add(window, mask) == CE_None && whole;
    }
  }
  if (!whole || errors.any()) {
    throw InputError(text::concat(path.string(), ": the mask is incomplete or damaged: ", errors.reason()));
  }
  for (const auto& band : bands) {
    band.warn(path, words_for(marks));
  }
  return mask;
}

}  // namespace hyperdefect::io
