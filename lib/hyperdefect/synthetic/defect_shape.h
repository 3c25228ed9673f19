// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include "hyperdefect/core/window.h"
#include "hyperdefect/image/random_source.h"

namespace hyperdefect::synthetic {

/// The form of a defect: a closed line around a centre, with half axes in pixels, turned by an angle.
struct DefectShape {
  enum class Form { ellipse, rectangle, line, blob } form;
  double half_length;
  double half_width;
  double angle_rad;
  /// A blob's radius varies by this fraction, in so many lobes.
  double wobble;
  double lobes;

  /// No point of it is farther from the centre.
  double reach() const { return std::hypot(half_length, half_width) * (1 + wobble) + 1; }
};

/// One of the shapes, of this area in pixels, with random proportions and a random angle.
DefectShape draw_shape(double area_px, image::RandomSource& random);

/// Where a defect's centre lies, in pixels, and the window of the image that holds it.
struct Placement {
  double row;
  double col;
  Window window;
};

/// A place for something of this reach that touches no pixel of `taken` (rows, cols) bool; after some tries
/// in vain, one that does.
Placement draw_placement(const torch::Tensor& taken, double reach, image::RandomSource& random);

/// (rows, cols) of the place's window, float32 in [0, 1]: how much of each pixel lies within the shape. The
/// pixel that holds the centre counts as covered by half at least.
torch::Tensor coverage(const DefectShape& shape, const Placement& place);

}  // namespace hyperdefect::synthetic
