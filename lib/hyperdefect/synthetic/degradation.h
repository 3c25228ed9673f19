// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "hyperdefect/spectral/types.h"

namespace hyperdefect::synthetic {

/// A whole cube with the truth about it.
struct LabelledCube {
  /// (bands, rows, cols) of floating point. Where `valid` is false the values mean nothing.
  torch::Tensor values;
  /// (rows, cols) bool.
  torch::Tensor valid;
  /// (rows, cols) bool: the defects.
  torch::Tensor mask;
  spectral::Bands bands;
};

/// A change of the image plane: first the zoom, then the flip, then the turns.
struct Geometry {
  /// The new number of rows and columns as a multiple of the old one.
  double zoom = 1.0;
  /// Mirrors left and right.
  bool flip = false;
  /// Turns by 90 degrees counter-clockwise; any whole number.
  std::int64_t quarter_turns = 0;

  /// Whether pixels move at all.
  bool moves_pixels() const { return zoom != 1.0 || flip || quarter_turns % 4 != 0; }
};

/// The cube in another geometry. Zooming interpolates bilinearly between valid pixels, and averages over the
/// area of a new pixel when it shrinks; a pixel is valid where at least half of what it is made of is. A mask
/// keeps each of its defects: enlarged, a pixel takes the mark of the old pixel that holds its centre;
/// shrunk, it is marked where it holds the centre of a marked pixel.
/// @throws UsageError for a zoom that is not in [1/64, 64].
LabelledCube reshaped(const LabelledCube& cube, const Geometry& geometry);

/// What may befall the measurement of a cube, in this order.
struct Disturbance {
  /// Multiplies all values.
  double gain = 1.0;
  /// Multiplies band i of n by 1 + tilt x, with x from -1 at the first band to 1 at the last.
  double tilt = 0.0;
  /// The share of bands that are replaced by Gaussian noise with the mean and deviation of the band.
  double noise_bands = 0.0;
  /// The share of valid pixels that are saturated: every band takes the highest value of the cube.
  double saturated = 0.0;
  /// The share of valid pixels that are lost.
  double missing = 0.0;
  /// Hands the bands over in reverse order, wavelengths included.
  bool reverse_bands = false;
};

/// The cube as it is measured under a disturbance; the values are copied. A share that is not 0 hits at least
/// one pixel or band. Lost pixels leave the mask. The same seed gives the same cube, and what one disturbance
/// hits does not depend on the others.
/// @throws UsageError if a share is not in [0, 1], the gain not above 0 or the tilt not within -1 and 1.
LabelledCube disturbed(const LabelledCube& cube, const Disturbance& disturbance, std::uint64_t seed);

}  // namespace hyperdefect::synthetic
