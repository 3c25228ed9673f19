// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/area_filter.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "hyperdefect/core/window.h"

namespace hyperdefect::image {
namespace {

/// A pixel of the map with a border of one pixel around it, so that every pixel has four neighbours.
using Cell = std::int32_t;

constexpr Cell kUnseen = -1;
/// Digits of a sorting key: three passes over 32 bits.
constexpr unsigned kDigitBits = 11;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;

/// A number that orders as the level does, above the cell that has it.
std::uint64_t sortable(float level, Cell cell) {
  const auto bits = std::bit_cast<std::uint32_t>(level);
  const auto key = (bits & 0x80000000U) != 0U ? ~bits : bits | 0x80000000U;
  return (std::uint64_t{key} << 32U) | static_cast<std::uint32_t>(cell);
}

/// One pass of a radix sort, stable, by the digit that starts at this bit.
void sort_by_digit(const std::vector<std::uint64_t>& from, std::vector<std::uint64_t>& to, unsigned bit) {
  std::array<std::size_t, kDigits> begin{};
  const auto digit = [bit](std::uint64_t key) { return (key >> bit) & (kDigits - 1); };
  for (const auto key : from) {
    ++begin[digit(key)];
  }
  std::size_t sum = 0;
  for (auto& count : begin) {
    sum += std::exchange(count, sum);
  }
  for (const auto key : from) {
    to[begin[digit(key)]++] = key;
  }
}

/// Pixels that are connected, and their bounding box.
struct Component {
  std::int32_t pixels;
  std::int32_t first_row;
  std::int32_t last_row;
  std::int32_t first_col;
  std::int32_t last_col;

  void take(const Component& other) {
    pixels += other.pixels;
    first_row = std::min(first_row, other.first_row);
    last_row = std::max(last_row, other.last_row);
    first_col = std::min(first_col, other.first_col);
    last_col = std::max(last_col, other.last_col);
  }
};

/// The area filter of one map after the other; what they share is allocated once.
class AreaFilter {
 public:
  AreaFilter(Size size, const std::vector<std::int64_t>& areas_px, double extent, TopHat hats)
      : size_(size),
        hats_(hats),
        stride_(static_cast<Cell>(size.cols) + 2),
        areas_px_(areas_px),
        levels_(static_cast<std::size_t>((size.rows + 2) * (size.cols + 2))),
        parents_(levels_.size()),
        roots_(levels_.size()),
        components_(levels_.size()),
        kept_(levels_.size() * areas_px.size()),
        residues_(kept_.size()) {
    for (const auto area : areas_px) {
      extents_px_.push_back(extent * std::sqrt(static_cast<double>(area)));
    }
  }

  /// @param results the first of size.pixels() numbers for the first area; those for the next area lie
  /// `area_stride` further on.
  void operator()(const float* map, const bool* valid, float* results, std::int64_t area_stride) {
    read(map, valid);
    std::fill(residues_.begin(), residues_.end(), 0.0F);
    grow();
    add_residues();
    if (hats_ == TopHat::both) {
      std::reverse(rising_.begin(), rising_.end());
      grow();
      add_residues();
    }
    write(results, area_stride);
  }

 private:
  std::size_t cell_of(std::int64_t row, std::int64_t col) const {
    return static_cast<std::size_t>((row + 1) * stride_ + col + 1);
  }

  /// Puts the usable cells in the order of their levels.
  void read(const float* map, const bool* valid) {
    keys_.clear();
    for (std::int64_t row = 0; row < size_.rows; ++row) {
      for (std::int64_t col = 0; col < size_.cols; ++col, ++map, ++valid) {
        if (*valid && !std::isnan(*map)) {
          const auto cell = cell_of(row, col);
          levels_[cell] = *map;
          keys_.push_back(sortable(*map, static_cast<Cell>(cell)));
        }
      }
    }
    sorted_.resize(keys_.size());
    for (unsigned bit = 32; bit < 64; bit += kDigitBits) {
      sort_by_digit(keys_, sorted_, bit);
      keys_.swap(sorted_);
    }
    rising_.resize(keys_.size());
    std::transform(keys_.begin(), keys_.end(), rising_.begin(),
                   [](std::uint64_t key) { return static_cast<Cell>(key); });
  }

  /// Adds the cells from the last to the first of rising_. Each becomes the parent of the components that it
  /// touches and takes their pixels.
  void grow() {
    std::fill(roots_.begin(), roots_.end(), kUnseen);
    for (auto left = rising_.size(); left > 0; --left) {
      const auto next = rising_[left - 1];
      const auto cell = static_cast<std::size_t>(next);
      parents_[cell] = roots_[cell] = next;
      const auto row = next / stride_ - 1;
      const auto col = next % stride_ - 1;
      components_[cell] = {1, row, row, col, col};
      for (const auto offset : {-stride_, -1, 1, stride_}) {
        join(next + offset, next);
      }
    }
  }

  void join(Cell neighbour, Cell cell) {
    if (roots_[static_cast<std::size_t>(neighbour)] == kUnseen) {
      return;
    }
    const auto root = static_cast<std::size_t>(root_of(neighbour));
    if (static_cast<Cell>(root) != cell) {
      parents_[root] = roots_[root] = cell;
      components_[static_cast<std::size_t>(cell)].take(components_[root]);
    }
  }

  /// Halves the path on its way.
  Cell root_of(Cell cell) {
    auto* roots = roots_.data();
    while (roots[cell] != cell) {
      roots[cell] = roots[roots[cell]];
      cell = roots[cell];
    }
    return cell;
  }

  /// Area and extent, with the mirror image beyond a border.
  std::pair<std::int64_t, double> size_of(const Component& component) const {
    const int rows_twice = component.first_row == 0 || component.last_row == size_.rows - 1 ? 1 : 0;
    const int cols_twice = component.first_col == 0 || component.last_col == size_.cols - 1 ? 1 : 0;
    const auto rows = std::int64_t{component.last_row - component.first_row + 1} << rows_twice;
    const auto cols = std::int64_t{component.last_col - component.first_col + 1} << cols_twice;
    return {std::int64_t{component.pixels} << (rows_twice + cols_twice),
            static_cast<double>(std::max(rows, cols))};
  }

  /// Goes from the roots of the tree to its leaves: a cell whose component is too small takes its parent's
  /// level. Cells of one level form a chain, of which the end counts all.
  void add_residues() {
    const auto areas = areas_px_.size();
    for (const auto next : rising_) {
      const auto cell = static_cast<std::size_t>(next);
      const auto parent = static_cast<std::size_t>(parents_[cell]);
      const bool is_root = parent == cell;
      const auto [area, extent] = size_of(components_[cell]);
      for (std::size_t k = 0; k < areas; ++k) {
        const bool stays = is_root || area >= areas_px_[k] || extent >= extents_px_[k];
        const float kept = stays ? levels_[cell] : kept_[parent * areas + k];
        kept_[cell * areas + k] = kept;
        residues_[cell * areas + k] += std::abs(levels_[cell] - kept);
      }
    }
  }

  void write(float* results, std::int64_t area_stride) const {
    const auto areas = areas_px_.size();
    for (std::size_t k = 0; k < areas; ++k, results += area_stride) {
      auto* result = results;
      for (std::int64_t row = 0; row < size_.rows; ++row) {
        for (std::int64_t col = 0; col < size_.cols; ++col) {
          *result++ = residues_[cell_of(row, col) * areas + k];
        }
      }
    }
  }

  Size size_;
  TopHat hats_;
  Cell stride_;
  const std::vector<std::int64_t>& areas_px_;
  std::vector<double> extents_px_;
  std::vector<float> levels_;
  std::vector<Cell> rising_;
  std::vector<Cell> parents_;
  std::vector<Cell> roots_;
  std::vector<Component> components_;
  std::vector<float> kept_;
  std::vector<float> residues_;
  std::vector<std::uint64_t> keys_;
  std::vector<std::uint64_t> sorted_;
};

}  // namespace

torch::Tensor area_top_hats(const torch::Tensor& maps, const torch::Tensor& valid,
                            const std::vector<std::int64_t>& areas_px, double extent, TopHat hats) {
  TORCH_CHECK(
      maps.dim() == 3 && valid.dim() == 2 && valid.size(0) == maps.size(1) && valid.size(1) == maps.size(2),
      "area_top_hats: expected maps (components, rows, cols) and a mask (rows, cols), got ", maps.sizes(),
      " and ", valid.sizes());
  const Size size{maps.size(1), maps.size(2)};
  TORCH_CHECK((size.rows + 2) * (size.cols + 2) <= std::numeric_limits<Cell>::max(),
              "area_top_hats: expected fewer than 2^31 pixels, got ", maps.sizes());
  const auto values = maps.detach().to(torch::kCPU, torch::kFloat).contiguous();
  const auto mask = valid.to(torch::kCPU, torch::kBool).contiguous();
  const auto areas = static_cast<std::int64_t>(areas_px.size());
  auto results = torch::empty({areas, maps.size(0), size.rows, size.cols});
  const auto* from = values.const_data_ptr<float>();
  const auto* usable = mask.const_data_ptr<bool>();
  auto* to = results.data_ptr<float>();
  at::parallel_for(0, maps.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    AreaFilter filter(size, areas_px, extent, hats);
    for (auto i = begin; i < end; ++i) {
      filter(from + i * size.pixels(), usable, to + i * size.pixels(), maps.size(0) * size.pixels());
    }
  });
  return results.to(maps.device());
}

std::int64_t area_filter_bytes_per_pixel(const std::vector<std::int64_t>& areas_px) {
  // Level, order, parent and root of a cell, its key twice, and two numbers for each area.
  constexpr std::size_t kTree =
      sizeof(float) + 3 * sizeof(Cell) + 2 * sizeof(std::uint64_t) + sizeof(Component);
  return static_cast<std::int64_t>(kTree + 2 * sizeof(float) * areas_px.size());
}

std::int64_t area_filter_reach_px(const std::vector<std::int64_t>& areas_px, double extent) {
  std::int64_t reach = 0;
  for (const auto area : areas_px) {
    const double length = std::min(static_cast<double>(area), extent * std::sqrt(static_cast<double>(area)));
    reach = std::max(reach, static_cast<std::int64_t>(std::ceil(length)));
  }
  return reach;
}

}  // namespace hyperdefect::image
