// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "hyperdefect/core/window.h"
#include "hyperdefect/spectral/dice.h"

namespace hyperdefect::spectral {

/// The form of a defect: a closed line around a centre, with half axes in pixels, turned by an angle.
struct Outline {
  enum class Shape { ellipse, rectangle, line, blob } shape;
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
Outline draw_outline(double area_px, Dice& dice);

/// Where a defect's centre lies, in pixels, and the window of the image that holds it.
struct Place {
  double row;
  double col;
  Window window;
};

/// A place for something of this reach that touches no pixel of `taken` (rows, cols) bool; after some tries
/// in vain, one that does.
Place draw_place(const torch::Tensor& taken, double reach, Dice& dice);

/// (rows, cols) of the place's window, float32 in [0, 1]: how much of each pixel lies within the outline. The
/// pixel that holds the centre counts as covered by half at least.
torch::Tensor coverage(const Outline& outline, const Place& place);

}  // namespace hyperdefect::spectral
