// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/io/cube_survey.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "hyperdefect/format/pixel_state.h"

namespace hyperdefect::io {
namespace {

/// An image with fewer values is looked at as a whole: reading it takes milliseconds.
constexpr std::int64_t kSmallImage = 4 << 20;
constexpr std::int64_t kMostRows = 64;
/// Any stripe that covers a tenth of the rows holds one of this many groups.
constexpr std::int64_t kFewestGroups = 10;
/// One row of blocks in so many is read.
constexpr std::int64_t kOneBlockIn = 8;
constexpr std::int64_t kMostPixels = 1 << 18;
/// A band whose range has fewer steps of float32 than this loses what a camera of 12 bit tells apart.
constexpr double kFewestSteps = 4096;

std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31);
}

/// Bits that are equal for equal numbers.
std::uint64_t bits_of(float value) {
  return std::bit_cast<std::uint32_t>(value + 0.0F);
}
std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(value + 0.0);
}

/// The hash of each of the pixels, given by their place in the window.
template <class T>
std::vector<std::uint64_t> hashes_of(const torch::Tensor& raw, const std::vector<std::int64_t>& pixels) {
  std::vector<std::uint64_t> hashes(pixels.size(), 0);
  const T* values = raw.const_data_ptr<T>();
  const auto stride = raw.size(1) * raw.size(2);
  for (std::int64_t band = 0; band < raw.size(0); ++band) {
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      hashes[i] = (hashes[i] ^ bits_of(values[band * stride + pixels[i]])) * 0x9E3779B97F4A7C15U;
      hashes[i] ^= hashes[i] >> 32;
    }
  }
  return hashes;
}

}  // namespace

std::vector<Window> survey_windows(const format::CubeInfo& info) {
  if (info.size().pixels() * info.bands.count <= kSmallImage) {
    return {whole(info.size())};
  }
  const auto height = std::max<std::int64_t>(1, info.storage_block.rows);
  const auto blocks = (info.rows + height - 1) / height;
  const auto groups = std::min(info.rows, std::clamp(blocks / kOneBlockIn, kFewestGroups, kMostRows));
  const auto rows =
      std::min({(kMostRows + groups - 1) / groups, std::max<std::int64_t>(1, info.rows / groups), height});
  const auto at_once = std::max<std::int64_t>(1, kSmallImage / (info.cols * info.bands.count));
  std::vector<Window> windows;
  for (std::int64_t i = 0; i < groups; ++i) {
    const auto middle = (2 * i + 1) * info.rows / (2 * groups);
    const auto first = blocks >= groups ? middle - middle % height : middle;
    for (std::int64_t row = 0; row < rows; row += at_once) {
      const auto count = std::min(at_once, rows - row);
      windows.push_back(clipped({first + row, 0, count, info.cols}, info.size()));
    }
  }
  return windows;
}

std::vector<Window> scan_windows(const format::CubeInfo& info, std::int64_t bands, std::int64_t max_values) {
  const auto height = std::max<std::int64_t>(1, info.storage_block.rows);
  const auto fitting = std::max<std::int64_t>(1, max_values / std::max<std::int64_t>(1, info.cols * bands));
  const auto rows = fitting >= height ? fitting / height * height : fitting;
  std::vector<Window> windows;
  for (std::int64_t row = 0; row < info.rows; row += rows) {
    windows.push_back(clipped({row, 0, rows, info.cols}, info.size()));
  }
  return windows;
}

SpectrumCounter::SpectrumCounter(std::int64_t pixels)
    : one_in_(static_cast<std::uint64_t>((pixels + kMostPixels - 1) / kMostPixels)) {}

void SpectrumCounter::add(const torch::Tensor& raw, const torch::Tensor& states, const Window& window,
                          const Size& image) {
  cols_ = image.cols;
  const auto* state = states.const_data_ptr<std::uint8_t>();
  std::vector<std::int64_t> pixels;
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < window.pixels(); ++i) {
    if (state[i] == static_cast<std::uint8_t>(format::PixelState::outside)) {
      continue;
    }
    const auto place = (window.row + i / window.cols) * image.cols + window.col + i % window.cols;
    if (one_in_ > 1 && mixed(static_cast<std::uint64_t>(place)) % one_in_ != 0) {
      continue;
    }
    ++counted_;
    if (state[i] == static_cast<std::uint8_t>(format::PixelState::valid)) {
      pixels.push_back(i);
      places.push_back(place);
    }
  }
  const auto hashes =
      raw.scalar_type() == torch::kDouble ? hashes_of<double>(raw, pixels) : hashes_of<float>(raw, pixels);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    entries_.push_back({hashes[i], places[i]});
  }
}

std::vector<SpectrumCounter::Found> SpectrumCounter::above(double share) {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.place < b.place;
  });
  std::vector<Found> found;
  for (std::size_t first = 0, end = 0; first < entries_.size(); first = end) {
    while (end < entries_.size() && entries_[end].hash == entries_[first].hash) {
      ++end;
    }
    const double part = static_cast<double>(end - first) / static_cast<double>(counted_);
    if (part > share && end - first > 1) {
      const auto place = entries_[first].place;
      found.push_back({part, {place / cols_, place % cols_, 1, 1}});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.share > b.share; });
  return found;
}

void DigitLoss::add(const torch::Tensor& values, const torch::Tensor& valid) {
  const auto used = values.flatten(1).index({torch::indexing::Slice(), valid.flatten()});
  if (used.numel() == 0) {
    return;
  }
  const auto inexact = used.to(torch::kFloat).to(torch::kDouble).ne(used).any(1);
  const bool first = !least_.defined();
  least_ = first ? used.amin(1) : torch::minimum(least_, used.amin(1));
  most_ = first ? used.amax(1) : torch::maximum(most_, used.amax(1));
  inexact_ = first ? inexact : inexact_.logical_or(inexact);
}

std::optional<double> DigitLoss::value() const {
  if (!least_.defined()) {
    return std::nullopt;
  }
  const auto largest = torch::maximum(least_.abs(), most_.abs());
  const auto range = most_ - least_;
  const auto step = largest * std::numeric_limits<float>::epsilon();
  const auto lost = inexact_.logical_and(range.gt(0)).logical_and(range.lt(kFewestSteps * step));
  return lost.any().item<bool>() ? std::optional(largest.masked_select(lost)[0].item<double>())
                                 : std::nullopt;
}

}  // namespace hyperdefect::io
