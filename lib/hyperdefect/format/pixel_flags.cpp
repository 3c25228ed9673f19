// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/format/pixel_flags.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "hyperdefect/format/pixel_state.h"

namespace hyperdefect::format {
namespace {

// Flags of one pixel, so that the loops over a band have no branches.
constexpr std::uint8_t kNoData = 1;
constexpr std::uint8_t kNotFinite = 2;
constexpr std::uint8_t kSaturated = 4;
constexpr std::uint8_t kLit = 8;
constexpr std::uint8_t kOutside = 16;

constexpr double kInf = std::numeric_limits<double>::infinity();
/// No measured value is as large: it is a mark, and marks near a type's limit are written with few digits.
constexpr double kHuge = 1e30;
/// -1.79e+308 and -3.4e+38 stand for the lowest double (-1.7977e+308) and float (-3.4028e+38).
constexpr double kShortText = 5e-3;
/// A text of 7 (float32) or 16 (float64) digits is this many epsilons of the type from the number it stands
/// for, at the most.
constexpr double kEpsilons = 4;

bool exists_in_integer(double value, const std::string& type, std::int64_t bytes) {
  const double values = std::ldexp(1.0, static_cast<int>(8 * bytes));
  const double least = type.starts_with("uint") ? 0 : -values / 2;
  // The largest values of 64 bits round to the end of the range.
  const bool below_end = bytes == 8 ? value <= least + values : value < least + values;
  return value >= least && below_end && value == std::floor(value);
}

/// The range around a positive number that is beyond all measured values.
ValueRange huge_range(double stated, double largest) {
  const double most = stated * (1 + kShortText);
  return {std::min(stated, largest) * (1 - kShortText),
          stated / (1 + kShortText) > largest ? kInf : std::min(most, largest)};
}

ValueRange floating_range(double stated, bool single) {
  const double largest =
      single ? double{std::numeric_limits<float>::max()} : std::numeric_limits<double>::max();
  if (std::abs(stated) >= kHuge) {
    const auto range = huge_range(std::abs(stated), largest);
    return stated > 0 ? range : ValueRange{-range.most, -range.least};
  }
  const double held = single ? double{static_cast<float>(stated)} : stated;
  const double exact_integers = std::ldexp(1.0, single ? 24 : 53);
  if (stated == std::floor(stated) && std::abs(stated) <= exact_integers) {
    return {held, held};
  }
  const double epsilon =
      single ? double{std::numeric_limits<float>::epsilon()} : std::numeric_limits<double>::epsilon();
  const double near = std::abs(stated) * epsilon * kEpsilons;
  return {held - near, held + near};
}

template <class T>
T in_type(double value) {
  if constexpr (std::is_same_v<T, float>) {
    return narrowed(value);
  } else {
    return value;
  }
}

template <class T>
void mark_range(const T* raw, const ValueRange& range, std::vector<std::uint8_t>& flags) {
  const auto least = in_type<T>(range.least);
  const auto most = in_type<T>(range.most);
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const bool hit = raw[i] >= least && raw[i] <= most;
    flags[i] |= static_cast<std::uint8_t>(hit ? kNoData : 0);
  }
}

template <class T>
void mark_nan(const T* raw, std::vector<std::uint8_t>& flags) {
  for (std::size_t i = 0; i < flags.size(); ++i) {
    flags[i] |= static_cast<std::uint8_t>(std::isnan(raw[i]) ? kNoData : 0);
  }
}

template <class T>
void mark_saturated(const T* raw, T saturation, std::vector<std::uint8_t>& flags) {
  for (std::size_t i = 0; i < flags.size(); ++i) {
    flags[i] |= static_cast<std::uint8_t>(raw[i] >= saturation ? kSaturated : 0);
  }
}

PixelState state_of(std::uint8_t flags, bool zero_is_invalid) {
  if ((flags & kOutside) != 0) {
    return PixelState::outside;
  }
  if ((flags & kNoData) != 0) {
    return PixelState::no_data;
  }
  if ((flags & kNotFinite) != 0) {
    return PixelState::not_finite;
  }
  if ((flags & kSaturated) != 0) {
    return PixelState::saturated;
  }
  return (flags & kLit) == 0 && zero_is_invalid ? PixelState::zero : PixelState::valid;
}

}  // namespace

std::optional<ValueRange> no_data_range(double stated, const std::string& type, std::int64_t bytes) {
  if (std::isnan(stated)) {
    return std::nullopt;
  }
  if (type.starts_with("float")) {
    return floating_range(stated, type == "float32");
  }
  return exists_in_integer(stated, type, bytes) ? std::optional(ValueRange{stated, stated}) : std::nullopt;
}

std::vector<double> no_data_values(const CubeInfo& info, const ReadOptions& options, std::int64_t band) {
  if (!options.no_data.empty()) {
    return options.no_data;
  }
  const auto stated =
      info.band_no_data.empty() ? info.no_data : info.band_no_data[static_cast<std::size_t>(band)];
  auto all = info.more_no_data;
  if (stated) {
    all.push_back(*stated);
  }
  // Files often state one value by two attributes; each one costs a comparison a pixel and band.
  std::vector<double> values;
  for (const double value : all) {
    if (std::find(values.begin(), values.end(), value) == values.end()) {
      values.push_back(value);
    }
  }
  return values;
}

std::vector<BandRule> rules_of(const CubeInfo& info, const ReadOptions& options) {
  std::vector<BandRule> rules(static_cast<std::size_t>(info.bands.count));
  for (std::size_t b = 0; b < rules.size(); ++b) {
    auto& rule = rules[b];
    for (const double value : no_data_values(info, options, static_cast<std::int64_t>(b))) {
      rule.nan_is_no_data = rule.nan_is_no_data || std::isnan(value);
      if (const auto range = no_data_range(value, info.data_type, info.bytes_per_value)) {
        rule.no_data.push_back(*range);
      }
    }
    rule.saturation = options.saturation.value_or(rule.saturation);
    if (options.apply_scale) {
      rule.scale = info.scale.empty() ? 1 : info.scale[b];
      rule.offset = info.offset.empty() ? 0 : info.offset[b];
    }
  }
  return rules;
}

template <class T>
void PixelFlags::judge(const T* raw, const BandRule& rule) {
  constexpr T kLargest = std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    const T v = raw[i];
    const int not_finite = !(std::abs(v) <= kLargest) ? kNotFinite : 0;
    const int lit = v != 0 ? kLit : 0;
    flags_[i] |= static_cast<std::uint8_t>(not_finite | lit);
  }
  for (const auto& range : rule.no_data) {
    mark_range(raw, range, flags_);
  }
  if (rule.nan_is_no_data) {
    mark_nan(raw, flags_);
  }
  if (rule.saturation < kInf) {
    mark_saturated(raw, in_type<T>(rule.saturation), flags_);
  }
}

template void PixelFlags::judge(const float* raw, const BandRule& rule);
template void PixelFlags::judge(const double* raw, const BandRule& rule);

void PixelFlags::judge_scaled(const float* values) {
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    const bool finite = std::abs(values[i]) <= std::numeric_limits<float>::max();
    flags_[i] |= static_cast<std::uint8_t>(finite ? 0 : kNotFinite);
  }
}

void PixelFlags::restore_columns(const PixelFlags& before, const std::vector<std::int64_t>& columns,
                                 std::int64_t cols) {
  for (const auto column : columns) {
    for (auto i = static_cast<std::size_t>(column); i < flags_.size(); i += static_cast<std::size_t>(cols)) {
      flags_[i] = before.flags_[i];
    }
  }
}

void PixelFlags::mask(const std::uint8_t* mask) {
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    flags_[i] |= static_cast<std::uint8_t>(mask[i] == 0 ? kNoData : 0);
  }
}

void PixelFlags::outside(const bool* region) {
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    flags_[i] |= static_cast<std::uint8_t>(region[i] ? 0 : kOutside);
  }
}

bool PixelFlags::any_value() const {
  return std::any_of(flags_.begin(), flags_.end(),
                     [](std::uint8_t flags) { return (flags & (kNoData | kNotFinite | kOutside)) == 0; });
}

torch::Tensor PixelFlags::states(const Window& window, bool zero_is_invalid) const {
  auto states = torch::empty({window.rows, window.cols}, torch::kByte);
  auto* out = states.data_ptr<std::uint8_t>();
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(state_of(flags_[i], zero_is_invalid));
  }
  return states;
}

float narrowed(double value) {
  const bool beyond = std::abs(value) > std::numeric_limits<float>::max();
  return beyond
             ? std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(value < 0 ? -1 : 1))
             : static_cast<float>(value);
}

}  // namespace hyperdefect::format
