// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/core/window.h"

namespace hyperdefect::spectral {

/// Converts the raw counts of a line camera to reflectance, by its white and its dark reference:
/// reflectance = (raw - dark) / (white - dark) for each detector element, which is a band of a column.
///
/// An element is dead if its references give no reflectance: one of them is not finite, or white is not above
/// dark. Its values are interpolated along the bands, between the nearest bands of its column that are not
/// dead; beyond the last of them they are repeated.
///
///     ReflectanceConverter converter(white, dark);
///     for (std::int64_t band = 0; band < converter.bands(); ++band) {
///       converter.convert(raw[band].const_data_ptr<float>(), band, window, values[band].data_ptr<float>());
///     }
///     converter.interpolate(window, values);
class ReflectanceConverter {
 public:
  /// @param white, dark (bands, cols) float64: the references, averaged over their lines; NaN for an element
  /// that cannot be used.
  ReflectanceConverter(const torch::Tensor& white, const torch::Tensor& dark);

  std::int64_t bands() const { return dark_.size(0); }
  std::int64_t cols() const { return dark_.size(1); }
  std::int64_t elements() const { return dark_.numel(); }
  std::int64_t dead_elements() const { return dead_elements_; }
  /// Elements whose white is finite but below dark.
  std::int64_t inverted_elements() const { return inverted_elements_; }
  /// Columns in which every band that may be interpolated from is dead.
  std::int64_t dead_columns() const;
  /// The columns of a window, counted from its first one, in which the band is dead.
  std::vector<std::int64_t> dead_columns_of(std::int64_t band, const Window& window) const;

  /// The bands that are interpolated from, one flag a band; at first all.
  void interpolate_from(const std::vector<bool>& bands);

  /// One band of a window, row by row; dead elements become NaN. May be in place. @tparam T float or double
  template <class T>
  void convert(const T* raw, std::int64_t band, const Window& window, float* values) const;
  /// Fills in the dead elements of a window that was converted. Where no band of a column can be interpolated
  /// from, they stay NaN.
  /// @param values (bands, rows, cols) float32
  void interpolate(const Window& window, torch::Tensor& values) const;

 private:
  /// The nearest bands of a dead element that are not dead; at an end the same one twice; -1 if there is
  /// none.
  struct Neighbours {
    std::int64_t below = -1;
    std::int64_t above = -1;
  };
  struct DeadElement {
    std::int64_t band = 0;
    std::int64_t col = 0;
    Neighbours neighbours;
  };

  bool is_dead(std::int64_t band, std::int64_t col) const;
  Neighbours neighbours_of(std::int64_t band, std::int64_t col, const std::vector<bool>& bands) const;

  /// (bands, cols) float64; the gain of a dead element is NaN.
  torch::Tensor dark_;
  torch::Tensor gain_;
  std::int64_t dead_elements_ = 0;
  std::int64_t inverted_elements_ = 0;
  /// In the order of bands, then columns.
  std::vector<DeadElement> dead_;
};

}  // namespace hyperdefect::spectral
