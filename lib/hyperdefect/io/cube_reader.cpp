// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_reader.h"

#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/format/gdal_dataset.h"
#include "hyperdefect/format/open_cube.h"
#include "hyperdefect/format/pixel_flags.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/io/cube_survey.h"
#include "hyperdefect/io/file_mask.h"

namespace hyperdefect::io {
namespace {

/// Values that are read at once when whole bands are looked through.
constexpr std::int64_t kScannedValues = 4 << 20;

/// Types whose values float32 does not hold exactly are read as float64.
bool is_wide(const std::string& type) {
  return type == "float64" || type.ends_with("int32") || type.ends_with("int64");
}

std::vector<std::int64_t> all_bands(const format::CubeInfo& info) {
  std::vector<std::int64_t> bands(static_cast<std::size_t>(info.bands.count));
  std::iota(bands.begin(), bands.end(), std::int64_t{0});
  return bands;
}

std::vector<std::int64_t> those_set(const std::vector<bool>& flags) {
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) {
      indices.push_back(static_cast<std::int64_t>(i));
    }
  }
  return indices;
}

std::int64_t bands_in_file(const format::CubeInfo& info) {
  return info.bands.count + static_cast<std::int64_t>(info.alpha_bands.size());
}

std::int64_t pixels_of(const std::vector<Window>& windows) {
  return std::accumulate(windows.begin(), windows.end(), std::int64_t{0},
                         [](std::int64_t sum, const Window& window) { return sum + window.pixels(); });
}

std::vector<bool> good_bands(const format::CubeInfo& info) {
  std::vector<bool> good;
  for (std::int64_t band = 0; band < info.bands.count; ++band) {
    good.push_back(info.bands.is_good(band));
  }
  return good;
}

/// The numbers of bands in the file; empty for all of them in order, which GDAL reads fastest.
std::vector<int> numbers_in_file(const format::CubeInfo& info, const std::vector<std::int64_t>& bands) {
  std::vector<int> numbers;
  if (info.alpha_bands.empty() && static_cast<std::int64_t>(bands.size()) == info.bands.count) {
    return numbers;
  }
  for (const auto band : bands) {
    numbers.push_back(info.file_band(band));
  }
  return numbers;
}

/// GDAL before 3.7 reads signed bytes as if they had no sign.
void restore_signs(torch::Tensor& values) {
  values.sub_(values.ge(128).to(values.scalar_type()), 256);
}

/// Reads bands of a window into `values` (bands, rows, cols), float32 or float64, as the file holds them.
void read_raw(GDALDataset& dataset, const format::CubeInfo& info, const Window& window,
              const std::vector<std::int64_t>& bands, torch::Tensor& values) {
  auto numbers = numbers_in_file(info, bands);
  const auto bytes = static_cast<GSpacing>(values.element_size());
  const format::GdalErrors errors;
  const auto result = dataset.RasterIO(
      GF_Read, format::gdal_int(window.col), format::gdal_int(window.row), format::gdal_int(window.cols),
      format::gdal_int(window.rows), values.data_ptr(), format::gdal_int(window.cols),
      format::gdal_int(window.rows), values.scalar_type() == torch::kDouble ? GDT_Float64 : GDT_Float32,
      format::gdal_int(values.size(0)), numbers.empty() ? nullptr : numbers.data(), bytes,
      window.cols * bytes, window.pixels() * bytes, nullptr);
  if (result != CE_None || errors.any()) {
    throw InputError(text::concat(info.path.string(), ": reading rows ", window.row, " to ",
                                  window.end_row() - 1, " failed: ", errors.reason()));
  }
}

/// (bands, rows, cols): the values as the file holds them, float64 where float32 would lose digits.
torch::Tensor raw_values(GDALDataset& dataset, const format::CubeInfo& info, const Window& window,
                         const std::vector<std::int64_t>& bands) {
  auto values = torch::empty({static_cast<std::int64_t>(bands.size()), window.rows, window.cols},
                             is_wide(info.data_type) ? torch::kDouble : torch::kFloat);
  read_raw(dataset, info, window, bands, values);
  if (info.data_type == "int8") {
    restore_signs(values);
  }
  return values;
}

void judge(const torch::Tensor& raw, std::int64_t index, const format::BandRule& rule,
           format::PixelFlags& flags) {
  const auto band = raw[index];
  if (raw.scalar_type() == torch::kDouble) {
    flags.judge(band.const_data_ptr<double>(), rule);
  } else {
    flags.judge(band.const_data_ptr<float>(), rule);
  }
}

/// May be in place.
template <class T>
void to_physical(const T* raw, float* values, std::size_t pixels, const format::BandRule& rule) {
  for (std::size_t i = 0; i < pixels; ++i) {
    values[i] = format::narrowed(raw[i] * rule.scale + rule.offset);
  }
}

/// A band's raw values in physical units; as they are if they are that already.
void scale_band(const torch::Tensor& raw, std::int64_t index, const format::BandRule& rule,
                torch::Tensor& values) {
  auto* out = values[index].data_ptr<float>();
  const auto pixels = static_cast<std::size_t>(raw[index].numel());
  if (raw.scalar_type() == torch::kDouble) {
    to_physical(raw[index].const_data_ptr<double>(), out, pixels, rule);
  } else if (rule.scales()) {
    to_physical(raw[index].const_data_ptr<float>(), out, pixels, rule);
  }
}

/// The float64 values of bands in physical units.
torch::Tensor physical(const torch::Tensor& raw, const std::vector<format::BandRule>& rules,
                       const std::vector<std::int64_t>& bands) {
  auto values = torch::empty_like(raw);
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const auto& rule = rules[static_cast<std::size_t>(bands[i])];
    const auto index = static_cast<std::int64_t>(i);
    values[index].copy_(raw[index] * rule.scale + rule.offset);
  }
  return values;
}

void warn_of_lost_digits(const DigitLoss& digits, const format::CubeInfo& info) {
  if (const auto value = digits.value()) {
    log::warning(text::concat(
        info.path.string(), ": values up to ", text::to_text(*value),
        " need more digits than float32 has, so that differences between pixels are lost: subtract "
        "an offset or scale them"));
  }
}

void clear_non_finite(float* values, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i) {
    values[i] = std::isfinite(values[i]) ? values[i] : 0.0F;
  }
}

}  // namespace

struct CubeReader::Source {
  format::DatasetPtr dataset;
  std::vector<format::BandRule> rules;
  std::optional<FileMask> mask;
  torch::Tensor region;

  const format::BandRule& rule(std::int64_t band) const { return rules[static_cast<std::size_t>(band)]; }
  torch::Tensor raw(const format::CubeInfo& info, const Window& window,
                    const std::vector<std::int64_t>& bands) const {
    return raw_values(*dataset, info, window, bands);
  }

  /// What is known of the pixels before any value is looked at.
  format::PixelFlags flags_of(const Window& window) const {
    format::PixelFlags flags(static_cast<std::size_t>(window.pixels()));
    if (region.defined()) {
      flags.outside(image::crop(region, window).contiguous().const_data_ptr<bool>());
    }
    mask->mark_all_bands(window, flags);
    return flags;
  }

  /// Takes those bands out of `bands` that hold a value in the window.
  void find_values(const format::CubeInfo& info, const Window& window,
                   std::vector<std::int64_t>& bands) const {
    const auto values = raw(info, window, bands);
    const auto all = flags_of(window);
    std::vector<std::int64_t> without;
    for (std::size_t i = 0; i < bands.size(); ++i) {
      auto flags = all;
      judge(values, static_cast<std::int64_t>(i), rule(bands[i]), flags);
      mask->mark_band(bands[i], window, flags);
      if (!flags.any_value()) {
        without.push_back(bands[i]);
      }
    }
    bands = std::move(without);
  }
};

CubeReader::CubeReader(format::CubeInfo info, format::ReadOptions options)
    : info_(std::move(info)),
      options_(std::move(options)),
      used_(good_bands(info_)),
      states_(torch::full({info_.rows, info_.cols}, static_cast<std::uint8_t>(format::PixelState::unread),
                          torch::kByte)),
      source_(std::make_unique<Source>()) {
  const format::GdalErrors errors;
  source_->dataset = format::open_cube(info_, options_);
  auto* dataset = source_->dataset.get();
  if (dataset == nullptr) {
    throw InputError(text::concat(info_.path.string(), ": cannot be read: ", errors.reason()));
  }
  if (dataset->GetRasterXSize() != info_.cols || dataset->GetRasterYSize() != info_.rows ||
      dataset->GetRasterCount() != bands_in_file(info_)) {
    throw InputError(text::concat(info_.path.string(), ": has changed since it was checked: now ",
                                  dataset->GetRasterYSize(), "x", dataset->GetRasterXSize(), "x",
                                  dataset->GetRasterCount(), ", then ", info_.rows, "x", info_.cols, "x",
                                  bands_in_file(info_), "; start again"));
  }
  source_->rules = format::rules_of(info_, options_);
  source_->mask.emplace(*dataset, info_, options_);
}

CubeReader::~CubeReader() = default;
CubeReader::CubeReader(CubeReader&&) noexcept = default;
CubeReader& CubeReader::operator=(CubeReader&&) noexcept = default;

void CubeReader::set_region(const torch::Tensor& region) {
  TORCH_CHECK(!region.defined() || (region.scalar_type() == torch::kBool && region.dim() == 2 &&
                                    region.size(0) == info_.rows && region.size(1) == info_.cols),
              "CubeReader: expected a region bool of ", info_.rows, "x", info_.cols, ", got ",
              region.sizes());
  source_->region = region;
  states_.fill_(static_cast<std::uint8_t>(format::PixelState::unread));
}

const torch::Tensor& CubeReader::region() const {
  return source_->region;
}

spectral::Block CubeReader::read(const Window& window) {
  TORCH_CHECK(window.pixels() > 0 && clipped(window, info_.size()) == window, "CubeReader: window ",
              window.row, ",", window.col, " of ", window.rows, "x", window.cols,
              " is not inside the image of ", info_.rows, "x", info_.cols);
  const auto raw = source_->raw(info_, window, all_bands(info_));
  auto values = raw.scalar_type() == torch::kFloat ? raw : torch::empty(raw.sizes(), torch::kFloat);
  const auto pixels = static_cast<std::size_t>(window.pixels());
  auto flags = source_->flags_of(window);
  for (std::int64_t band = 0; band < info_.bands.count; ++band) {
    const auto& rule = source_->rule(band);
    const bool used = used_[static_cast<std::size_t>(band)];
    if (used) {
      judge(raw, band, rule, flags);
      source_->mask->mark_band(band, window, flags);
    }
    scale_band(raw, band, rule, values);
    auto* out = values[band].data_ptr<float>();
    if (!used) {
      clear_non_finite(out, pixels);
    } else if (rule.scales()) {
      flags.judge_scaled(out);
    }
  }
  const auto states = flags.states(window, options_.zero_is_invalid);
  image::crop(states_, window).copy_(states);
  return {values, states.eq(static_cast<std::uint8_t>(format::PixelState::valid)), window, info_.size()};
}

void CubeReader::use_bands(std::vector<bool> used) {
  TORCH_CHECK(static_cast<std::int64_t>(used.size()) == info_.bands.count, "CubeReader: expected ",
              info_.bands.count, " flags of bands, got ", used.size());
  used_ = std::move(used);
}

std::vector<std::int64_t> CubeReader::empty_bands(
    const std::function<void(std::int64_t, std::int64_t)>& step) {
  auto empty = those_set(used_);
  const auto used = empty.size();
  source_->find_values(info_, {info_.rows / 2, 0, 1, info_.cols}, empty);
  // Hardly ever is there anything left to look for.
  const auto windows = scan_windows(info_, static_cast<std::int64_t>(empty.size()), kScannedValues);
  for (std::size_t i = 0; i < windows.size() && !empty.empty(); ++i) {
    step(static_cast<std::int64_t>(i), static_cast<std::int64_t>(windows.size()));
    source_->find_values(info_, windows[i], empty);
  }
  return empty.size() < used ? empty : std::vector<std::int64_t>{};
}

void CubeReader::leave_out(const std::vector<std::int64_t>& bands) {
  if (!bands.empty() && info_.bands.good.empty()) {
    info_.bands.good.assign(static_cast<std::size_t>(info_.bands.count), true);
  }
  for (const auto band : bands) {
    info_.bands.good[static_cast<std::size_t>(band)] = false;
    used_[static_cast<std::size_t>(band)] = false;
  }
}

std::vector<CommonSpectrum> CubeReader::common_spectra(double share) {
  const auto bands = those_set(used_);
  const auto windows = survey_windows(info_);
  SpectrumCounter counter(pixels_of(windows));
  DigitLoss digits;
  for (const auto& window : windows) {
    const auto raw = source_->raw(info_, window, bands);
    auto flags = source_->flags_of(window);
    for (std::size_t i = 0; i < bands.size(); ++i) {
      judge(raw, static_cast<std::int64_t>(i), source_->rule(bands[i]), flags);
      source_->mask->mark_band(bands[i], window, flags);
    }
    const auto states = flags.states(window, options_.zero_is_invalid);
    counter.add(raw, states, window, info_.size());
    if (raw.scalar_type() == torch::kDouble) {
      digits.add(physical(raw, source_->rules, bands),
                 states.eq(static_cast<std::uint8_t>(format::PixelState::valid)));
    }
  }
  warn_of_lost_digits(digits, info_);
  std::vector<CommonSpectrum> common;
  for (const auto& found : counter.above(share)) {
    const auto values = source_->raw(info_, found.pixel, bands).to(torch::kDouble).flatten();
    const auto* first = values.const_data_ptr<double>();
    common.push_back({found.share, {first, first + values.numel()}});
  }
  return common;
}

}  // namespace hyperdefect::io
