// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/format/cube_info.h"

namespace hyperdefect::format {

/// Raw values from `least` to `most`, both included.
struct ValueRange {
  double least = 0;
  double most = 0;
};

/// The values of a data type ("uint16", "float32" ...) that a stated no-data value stands for. Integers match
/// exactly. Floating-point numbers match as the type holds them, as far as a text with the type's usual
/// number of digits says; huge ones, which are written as short as -3.4e+38, match what is near them.
/// Nothing for NaN, and for a value that an integer type does not have.
std::optional<ValueRange> no_data_range(double stated, const std::string& type, std::int64_t bytes);

/// What a band's raw values are tested against, and multiplied by.
struct BandRule {
  std::vector<ValueRange> no_data;
  bool nan_is_no_data = false;
  double saturation = std::numeric_limits<double>::infinity();
  double scale = 1;
  double offset = 0;

  bool scales() const { return scale != 1 || offset != 0; }
};

/// The no-data values of a band: the user's, else the file's.
std::vector<double> no_data_values(const CubeInfo& info, const ReadOptions& options, std::int64_t band);

/// One rule a band.
std::vector<BandRule> rules_of(const CubeInfo& info, const ReadOptions& options);

/// What was seen of each pixel over the bands that were judged.
class PixelFlags {
 public:
  explicit PixelFlags(std::size_t pixels) : flags_(pixels, 0) {}

  std::size_t pixels() const { return flags_.size(); }
  /// Tests a band's raw values, one per pixel. @tparam T float or double
  template <class T>
  void judge(const T* raw, const BandRule& rule);
  /// Takes over a band's values in physical units; a value that is finite as it is stored only is not.
  void judge_scaled(const float* values);
  /// Takes back what was seen since `before` in these columns of a window.
  void restore_columns(const PixelFlags& before, const std::vector<std::int64_t>& columns, std::int64_t cols);
  /// Marks as no data the pixels where the mask (one per pixel) is zero.
  void mask(const std::uint8_t* mask);
  /// Marks as outside of the region the pixels where the region (one per pixel) is false.
  void outside(const bool* region);
  /// Whether any pixel has a value: inside the region, and neither no data nor NaN or infinite.
  bool any_value() const;
  /// (rows, cols) uint8 of PixelState.
  torch::Tensor states(const Window& window, bool zero_is_invalid) const;

 private:
  std::vector<std::uint8_t> flags_;
};

/// The nearest float32; infinite beyond its range.
float narrowed(double value);

}  // namespace hyperdefect::format
