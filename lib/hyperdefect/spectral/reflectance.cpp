// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/reflectance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace hyperdefect::spectral {

ReflectanceConverter::ReflectanceConverter(const torch::Tensor& white, const torch::Tensor& dark)
    : dark_(dark.contiguous()) {
  TORCH_CHECK(white.dim() == 2 && white.sizes() == dark.sizes() && white.scalar_type() == torch::kDouble &&
                  dark.scalar_type() == torch::kDouble,
              "ReflectanceConverter: expected two references (bands, cols) of float64, got ", white.sizes(),
              " and ", dark.sizes());
  const auto span = white - dark;
  const auto alive = span.isfinite().logical_and(span.gt(0));
  gain_ =
      torch::where(alive, span.reciprocal(), torch::full_like(span, std::numeric_limits<double>::quiet_NaN()))
          .contiguous();
  inverted_elements_ = span.lt(0).sum().item<std::int64_t>();
  dead_elements_ = elements() - alive.sum().item<std::int64_t>();
  interpolate_from(std::vector<bool>(static_cast<std::size_t>(bands()), true));
}

bool ReflectanceConverter::is_dead(std::int64_t band, std::int64_t col) const {
  return std::isnan(gain_.const_data_ptr<double>()[band * cols() + col]);
}

ReflectanceConverter::Neighbours ReflectanceConverter::neighbours_of(std::int64_t band, std::int64_t col,
                                                                     const std::vector<bool>& bands) const {
  const auto serves = [&](std::int64_t b) { return bands[static_cast<std::size_t>(b)] && !is_dead(b, col); };
  Neighbours found;
  for (auto b = band - 1; b >= 0 && found.below < 0; --b) {
    found.below = serves(b) ? b : -1;
  }
  for (auto b = band + 1; b < this->bands() && found.above < 0; ++b) {
    found.above = serves(b) ? b : -1;
  }
  if (found.below < 0 || found.above < 0) {
    found.below = found.above = std::max(found.below, found.above);
  }
  return found;
}

void ReflectanceConverter::interpolate_from(const std::vector<bool>& bands) {
  TORCH_CHECK(static_cast<std::int64_t>(bands.size()) == this->bands(), "ReflectanceConverter: expected ",
              this->bands(), " flags of bands, got ", bands.size());
  dead_.clear();
  for (std::int64_t band = 0; band < this->bands() && dead_elements_ > 0; ++band) {
    for (std::int64_t col = 0; col < cols(); ++col) {
      if (is_dead(band, col)) {
        dead_.push_back({band, col, neighbours_of(band, col, bands)});
      }
    }
  }
}

std::int64_t ReflectanceConverter::dead_columns() const {
  std::set<std::int64_t> columns;
  for (const auto& element : dead_) {
    if (element.neighbours.below < 0) {
      columns.insert(element.col);
    }
  }
  return static_cast<std::int64_t>(columns.size());
}

std::vector<std::int64_t> ReflectanceConverter::dead_columns_of(std::int64_t band,
                                                                const Window& window) const {
  std::vector<std::int64_t> columns;
  const auto first =
      std::lower_bound(dead_.begin(), dead_.end(), band,
                       [](const DeadElement& element, std::int64_t sought) { return element.band < sought; });
  for (auto element = first; element != dead_.end() && element->band == band; ++element) {
    if (element->col >= window.col && element->col < window.end_col()) {
      columns.push_back(element->col - window.col);
    }
  }
  return columns;
}

template <class T>
void ReflectanceConverter::convert(const T* raw, std::int64_t band, const Window& window,
                                   float* values) const {
  const auto first = band * cols() + window.col;
  const double* dark = dark_.const_data_ptr<double>() + first;
  const double* gain = gain_.const_data_ptr<double>() + first;
  for (std::int64_t row = 0; row < window.rows; ++row) {
    for (std::int64_t col = 0; col < window.cols; ++col) {
      const auto i = row * window.cols + col;
      values[i] = static_cast<float>((static_cast<double>(raw[i]) - dark[col]) * gain[col]);
    }
  }
}

template void ReflectanceConverter::convert(const float*, std::int64_t, const Window&, float*) const;
template void ReflectanceConverter::convert(const double*, std::int64_t, const Window&, float*) const;

void ReflectanceConverter::interpolate(const Window& window, torch::Tensor& values) const {
  TORCH_CHECK(values.is_contiguous() && values.scalar_type() == torch::kFloat && values.size(0) == bands() &&
                  values.size(1) == window.rows && values.size(2) == window.cols,
              "ReflectanceConverter: expected float32 of (", bands(), ", ", window.rows, ", ", window.cols,
              "), got ", values.sizes());
  auto* first = values.data_ptr<float>();
  for (const auto& [band, col, neighbours] : dead_) {
    const auto [below, above] = neighbours;
    if (below < 0 || col < window.col || col >= window.end_col()) {
      continue;
    }
    const double part =
        above == below ? 0 : static_cast<double>(band - below) / static_cast<double>(above - below);
    for (std::int64_t row = 0; row < window.rows; ++row) {
      const auto at = [&, place = row * window.cols + col - window.col](std::int64_t b) -> float& {
        return first[b * window.pixels() + place];
      };
      at(band) = static_cast<float>(at(below) * (1 - part) + at(above) * part);
    }
  }
}

}  // namespace hyperdefect::spectral
