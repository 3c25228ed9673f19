// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_reader.h"

#include <cmath>
#include <limits>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/io/gdal_dataset.h"
#include "hyperdefect/io/open_cube.h"
#include "hyperdefect/spectral/image_part.h"

namespace hyperdefect::io {
namespace {

/// What a band's raw values are tested against and multiplied by.
struct BandRule {
  bool good = true;
  float no_data = std::numeric_limits<float>::quiet_NaN();
  float saturation = std::numeric_limits<float>::infinity();
  double scale = 1;
  double offset = 0;

  bool scales() const { return scale != 1 || offset != 0; }
};

BandRule rule_of(const CubeInfo& info, const ReadOptions& options, std::int64_t band) {
  const auto b = static_cast<std::size_t>(band);
  BandRule rule;
  rule.good = info.bands.is_good(band);
  rule.no_data = static_cast<float>(info.no_data.value_or(rule.no_data));
  rule.saturation = static_cast<float>(options.saturation.value_or(rule.saturation));
  if (options.apply_scale) {
    rule.scale = info.scale.empty() ? 1 : info.scale[b];
    rule.offset = info.offset.empty() ? 0 : info.offset[b];
  }
  return rule;
}

/// What was seen of a pixel over its bands, as flags, so that the loops over a band have no branches.
struct PixelFlags {
  explicit PixelFlags(std::size_t pixels)
      : no_data(pixels, 0), not_finite(pixels, 0), saturated(pixels, 0), lit(pixels, 0) {}
  std::vector<std::uint8_t> no_data;
  std::vector<std::uint8_t> not_finite;
  std::vector<std::uint8_t> saturated;
  std::vector<std::uint8_t> lit;
};

void judge(const float* values, const BandRule& rule, PixelFlags& flags) {
  const auto pixels = flags.lit.size();
  for (std::size_t i = 0; i < pixels; ++i) {
    const float v = values[i];
    flags.no_data[i] |= static_cast<std::uint8_t>(v == rule.no_data);
    flags.not_finite[i] |= static_cast<std::uint8_t>(!(std::abs(v) <= std::numeric_limits<float>::max()));
    flags.saturated[i] |= static_cast<std::uint8_t>(v >= rule.saturation);
    flags.lit[i] |= static_cast<std::uint8_t>(v != 0);
  }
}

void apply_scale(float* values, std::size_t pixels, const BandRule& rule) {
  for (std::size_t i = 0; i < pixels; ++i) {
    values[i] = static_cast<float>(values[i] * rule.scale + rule.offset);
  }
}

void clear_non_finite(float* values, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i) {
    values[i] = std::isfinite(values[i]) ? values[i] : 0.0F;
  }
}

/// (rows, cols) uint8 of PixelState.
torch::Tensor states_of(const PixelFlags& flags, const Window& window, bool zero_is_invalid) {
  auto states = torch::empty({window.rows, window.cols}, torch::kByte);
  auto* out = states.data_ptr<std::uint8_t>();
  for (std::size_t i = 0; i < flags.lit.size(); ++i) {
    const auto state = flags.no_data[i] != 0                  ? PixelState::no_data
                       : flags.not_finite[i] != 0             ? PixelState::not_finite
                       : flags.saturated[i] != 0              ? PixelState::saturated
                       : flags.lit[i] == 0 && zero_is_invalid ? PixelState::zero
                                                              : PixelState::valid;
    out[i] = static_cast<std::uint8_t>(state);
  }
  return states;
}

}  // namespace

struct CubeReader::Source {
  DatasetPtr dataset;
};

CubeReader::CubeReader(CubeInfo info, ReadOptions options)
    : info_(std::move(info)),
      options_(std::move(options)),
      states_(
          torch::full({info_.rows, info_.cols}, static_cast<std::uint8_t>(PixelState::unread), torch::kByte)),
      source_(std::make_unique<Source>()) {
  const GdalErrors errors;
  source_->dataset = open_cube(info_, options_);
  auto* dataset = source_->dataset.get();
  if (dataset == nullptr) {
    throw InputError(text::cat(info_.path.string(), ": cannot be read: ", errors.reason()));
  }
  if (dataset->GetRasterXSize() != info_.cols || dataset->GetRasterYSize() != info_.rows ||
      dataset->GetRasterCount() != info_.bands.count) {
    throw InputError(text::cat(info_.path.string(), ": has changed since it was looked at: now ",
                               dataset->GetRasterYSize(), "x", dataset->GetRasterXSize(), "x",
                               dataset->GetRasterCount(), ", then ", info_.rows, "x", info_.cols, "x",
                               info_.bands.count, "; start again"));
  }
}

CubeReader::~CubeReader() = default;
CubeReader::CubeReader(CubeReader&&) noexcept = default;
CubeReader& CubeReader::operator=(CubeReader&&) noexcept = default;

spectral::Block CubeReader::read(const Window& window) {
  TORCH_CHECK(window.pixels() > 0 && clipped(window, info_.size()) == window, "CubeReader: window ",
              window.row, ",", window.col, " of ", window.rows, "x", window.cols,
              " is not inside the image of ", info_.rows, "x", info_.cols);
  auto values = torch::empty({info_.bands.count, window.rows, window.cols}, torch::kFloat32);
  float* data = values.data_ptr<float>();
  const GdalErrors errors;
  const auto result = source_->dataset->RasterIO(
      GF_Read, gdal_int(window.col), gdal_int(window.row), gdal_int(window.cols), gdal_int(window.rows), data,
      gdal_int(window.cols), gdal_int(window.rows), GDT_Float32, gdal_int(info_.bands.count), nullptr,
      sizeof(float), window.cols * static_cast<GSpacing>(sizeof(float)),
      window.pixels() * static_cast<GSpacing>(sizeof(float)), nullptr);
  if (result != CE_None || errors.any()) {
    throw InputError(text::cat(info_.path.string(), ": reading rows ", window.row, " to ",
                               window.end_row() - 1, " failed: ", errors.reason()));
  }

  const auto pixels = static_cast<std::size_t>(window.pixels());
  PixelFlags flags(pixels);
  for (std::int64_t band = 0; band < info_.bands.count; ++band) {
    const auto rule = rule_of(info_, options_, band);
    float* band_values = data + band * window.pixels();
    if (rule.good) {
      judge(band_values, rule, flags);
    } else {
      clear_non_finite(band_values, pixels);
    }
    if (rule.scales()) {
      apply_scale(band_values, pixels, rule);
    }
  }
  const auto states = states_of(flags, window, options_.zero_is_invalid);
  spectral::part_of(states_, window).copy_(states);
  return {values, states.eq(static_cast<std::uint8_t>(PixelState::valid)), window, info_.size()};
}

void set_cache_bytes(std::int64_t bytes) {
  GDALSetCacheMax64(bytes);
}

}  // namespace hyperdefect::io
