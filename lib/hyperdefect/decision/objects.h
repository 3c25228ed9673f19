// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/core/window.h"

namespace hyperdefect::decision {

/// Which pixels are marked, and which of the objects that they form are defects.
struct DetectionRule {
  /// Pixels with a higher score are marked, and so are the pixels connected with them whose score is higher
  /// than threshold - hysteresis.
  double threshold = 0.0;
  double hysteresis = 0.0;
  /// Of an object; smaller groups of pixels are not marked.
  std::int64_t min_pixels = 1;
  /// An object with more evidence is a defect.
  double min_evidence = 0.0;
};

/// A connected group of marked pixels (8 neighbours).
struct DetectedObject {
  bool is_defect = false;
  /// Centroid, in pixels counted from 0.
  double row = 0;
  double col = 0;
  Window box{};
  std::int64_t area_px = 0;
  /// Of its scores.
  double peak = 0;
  double mean = 0;
  /// The sum of score - (threshold - hysteresis) over its pixels, which is the "cluster mass" of Bullmore et
  /// al., "Global, voxel, and cluster tests", 1999: a large faint object can have as much as a small clear
  /// one.
  double evidence = 0;
  /// Mean spectral angle in radians; NaN if no pixel has one.
  double sad_rad = 0;

  bool operator==(const DetectedObject&) const = default;
};

/// The objects of an image.
struct Objects {
  /// (rows, cols) int32: 0 is not marked; i + 1 is found[i].
  torch::Tensor labels;
  /// In the order of their first pixels.
  std::vector<DetectedObject> found;
};

/// @param score (rows, cols) float32 @param valid (rows, cols) bool: the others are never marked.
///
///     const auto objects = find_objects(maps.score, maps.valid, {.threshold = 4});
///     const auto marked = objects.labels > 0;
Objects find_objects(const torch::Tensor& score, const torch::Tensor& valid, const DetectionRule& rule);

/// Sets the mean spectral angle of each object. @param sad_rad (rows, cols) float32
void measure_angles(Objects& objects, const torch::Tensor& sad_rad);

/// The largest evidence of an object, 0 if there is none.
double largest_evidence(const Objects& objects);

}  // namespace hyperdefect::decision
