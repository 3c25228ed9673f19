// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/format/cube_info.h"

namespace hyperdefect::io {

/// The windows that are looked at for common spectra: the whole image if it is small, else groups of rows
/// that lie evenly over the image and in few blocks of the file.
std::vector<Window> survey_windows(const format::CubeInfo& info);

/// Windows of whole rows, of whole blocks if they fit, that cover the image and hold at most `max_values` of
/// this many bands, or one row.
std::vector<Window> scan_windows(const format::CubeInfo& info, std::int64_t bands, std::int64_t max_values);

/// Counts equal spectra by their hashes. Which pixels are counted depends on their coordinates alone, and
/// they are so few that memory stays bounded.
class SpectrumCounter {
 public:
  /// @param pixels that will be added.
  explicit SpectrumCounter(std::int64_t pixels);

  /// @param raw (bands, rows, cols) float32 or float64 @param states (rows, cols) uint8 of PixelState
  void add(const torch::Tensor& raw, const torch::Tensor& states, const Window& window, const Size& image);

  struct Found {
    double share = 0;
    /// One pixel that has the spectrum.
    Window pixel;
  };
  /// The spectra of more than this share of the counted pixels, the most common first.
  std::vector<Found> above(double share);

 private:
  struct Entry {
    std::uint64_t hash;
    std::int64_t place;
  };

  std::uint64_t one_in_;
  std::int64_t counted_ = 0;
  std::int64_t cols_ = 1;
  /// Of the valid pixels.
  std::vector<Entry> entries_;
};

/// Whether float32, in which a cube is worked on, holds the values of its bands finely enough.
class DigitLoss {
 public:
  /// @param values (bands, rows, cols) float64 in physical units @param valid (rows, cols) bool
  void add(const torch::Tensor& values, const torch::Tensor& valid);

  /// The largest absolute value of the first band whose valid values differ by only a few steps of float32.
  std::optional<double> value() const;

 private:
  /// One a band.
  torch::Tensor least_;
  torch::Tensor most_;
  torch::Tensor inexact_;
};

}  // namespace hyperdefect::io
