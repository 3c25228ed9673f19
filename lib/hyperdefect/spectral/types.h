// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/core/window.h"

namespace hyperdefect::spectral {

/// The unit of the wavelengths in a file: what the file states or suggests, or one that is set.
enum class WavelengthUnit { automatic, nm, um };

/// The spectral axis of a cube or of a model.
struct Bands {
  std::int64_t count = 0;
  /// Centre wavelengths in nanometres, one per band; empty if the cube states none.
  std::vector<double> wavelengths_nm;
  /// Full widths at half maximum in nanometres, one per band; empty if the cube states none.
  std::vector<double> fwhm_nm;
  /// Whether a band is to be used, one per band; empty if the cube marks none as bad.
  std::vector<bool> good;

  bool is_good(std::int64_t band) const { return good.empty() || good[static_cast<std::size_t>(band)]; }
  bool operator==(const Bands&) const = default;
};

/// A piece of a cube that knows where in the image it lies.
struct Block {
  /// (bands, rows, cols) float32, in the cube's physical units (scale and offset applied). Where `valid` is
  /// false the values mean nothing (they may be NaN).
  torch::Tensor values;
  /// (rows, cols) bool.
  torch::Tensor valid;
  /// Where the block lies in the image.
  Window window;
  /// The size of the whole image.
  Size image;
  /// Which of several training cubes it is of.
  std::int64_t cube = 0;
};

}  // namespace hyperdefect::spectral
