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
#include "hyperdefect/io/raw_values.h"

namespace hyperdefect::io {
namespace {

/// Values that are read at once when whole bands are looked through.
constexpr std::int64_t kScannedValues = 4 << 20;

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
  std::optional<spectral::ReflectanceConverter> converter;
  torch::Tensor region;

  const format::BandRule& rule(std::int64_t band) const { return rules[static_cast<std::size_t>(band)]; }
  torch::Tensor raw(const format::CubeInfo& info, const Window& window,
                    const std::vector<std::int64_t>& bands) const {
    return raw_values(*dataset, info, window, bands);
  }

  /// Tests a band, raw[index]. Its dead elements, which get other values, cost no pixel.
  void judge_band(const torch::Tensor& raw, std::int64_t index, std::int64_t band, const Window& window,
                  format::PixelFlags& flags) const {
    const auto dead = converter ? converter->dead_columns_of(band, window) : std::vector<std::int64_t>();
    if (dead.empty()) {
      judge(raw, index, rule(band), flags);
    } else {
      const auto before = flags;
      judge(raw, index, rule(band), flags);
      flags.restore_columns(before, dead, window.cols);
    }
    mask->mark_band(band, window, flags);
  }

  /// A band's raw values as reflectance or in physical units. May be in place.
  void convert_band(const torch::Tensor& raw, std::int64_t band, const Window& window,
                    torch::Tensor& values) const {
    if (!converter) {
      scale_band(raw, band, rule(band), values);
    } else if (raw.scalar_type() == torch::kDouble) {
      converter->convert(raw[band].const_data_ptr<double>(), band, window, values[band].data_ptr<float>());
    } else {
      converter->convert(raw[band].const_data_ptr<float>(), band, window, values[band].data_ptr<float>());
    }
  }

  /// Judges a band's values as they are handed out.
  void finish_band(std::int64_t band, bool used, torch::Tensor& values, format::PixelFlags& flags) const {
    auto* out = values[band].data_ptr<float>();
    if (!used) {
      clear_non_finite(out, flags.pixels());
    } else if (converter || rule(band).scales()) {
      flags.judge_scaled(out);
    }
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
  auto flags = source_->flags_of(window);
  const auto finish = [&](std::int64_t band) {
    source_->finish_band(band, used_[static_cast<std::size_t>(band)], values, flags);
  };
  for (std::int64_t band = 0; band < info_.bands.count; ++band) {
    if (used_[static_cast<std::size_t>(band)]) {
      source_->judge_band(raw, band, band, window, flags);
    }
    source_->convert_band(raw, band, window, values);
    if (!source_->converter) {
      finish(band);
    }
  }
  if (source_->converter) {
    // A dead element takes its value from bands behind it too.
    source_->converter->interpolate(window, values);
    for (std::int64_t band = 0; band < info_.bands.count; ++band) {
      finish(band);
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
  if (source_->converter) {
    source_->converter->interpolate_from(used_);
  }
}

void CubeReader::convert_to_reflectance(spectral::ReflectanceConverter converter) {
  TORCH_CHECK(converter.bands() == info_.bands.count && converter.cols() == info_.cols,
              "CubeReader: expected references of ", info_.bands.count, " bands and ", info_.cols,
              " columns, got ", converter.bands(), " and ", converter.cols());
  options_.apply_scale = false;
  source_->rules = format::rules_of(info_, options_);
  source_->converter = std::move(converter);
  source_->converter->interpolate_from(used_);
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
  use_bands(used_);
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
      source_->judge_band(raw, static_cast<std::int64_t>(i), bands[i], window, flags);
    }
    const auto states = flags.states(window, options_.zero_is_invalid);
    counter.add(raw, states, window, info_.size());
    if (raw.scalar_type() == torch::kDouble && !source_->converter) {
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
