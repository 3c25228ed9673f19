// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "hyperdefect/preprocess/preprocess_options.h"
#include "hyperdefect/spectral/band_match.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::preprocess {

/// Which bands of a cube the options leave in use, ascending, counted from 0.
/// @throws InputError if none is left.
std::vector<std::int64_t> band_indices_in_use(const spectral::Bands& cube, const PreprocessOptions& options);

/// The same as flags, one per band of the cube.
std::vector<bool> band_flags_in_use(const spectral::Bands& cube, const PreprocessOptions& options);

/// The bands of a cube that the options leave in use: what a model is made for.
/// @throws InputError if none is left.
spectral::Bands bands_in_use(const spectral::Bands& cube, const PreprocessOptions& options);

/// Takes a model's bands out of a cube. If both have wavelengths, bands are matched by them, unless the
/// options leave just the model's bands; else by number, with the bands that the options leave out left out
/// first.
class BandPicker {
 public:
  /// @throws ModelError naming what does not match.
  BandPicker(const spectral::Bands& cube, const spectral::Bands& model, const PreprocessOptions& options);

  /// (bands of the cube, rows, cols) -> (bands of the model, rows, cols).
  torch::Tensor of(const torch::Tensor& values) const;
  /// A block of the cube -> the same of the model's bands.
  spectral::Block of(const spectral::Block& block) const;
  /// Which bands of the cube of() reads, one flag a band.
  std::vector<bool> bands_read() const;

 private:
  std::int64_t cube_bands_;
  std::optional<torch::Tensor> in_use_;
  spectral::BandMatch match_;
};

}  // namespace hyperdefect::preprocess
