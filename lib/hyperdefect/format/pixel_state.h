// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace hyperdefect::format {

/// Whether a pixel can be judged, and if it cannot, why. If several reasons hold, the first one listed
/// counts.
enum class PixelState : std::uint8_t {
  valid = 0,
  /// Outside of the product's region, which the user states: nothing is said of it, whatever it holds.
  outside = 5,
  /// The file says so: its no-data value, its mask or its alpha band; or the user does (data.no_data).
  no_data = 1,
  /// NaN or infinite.
  not_finite = 2,
  /// At or above the saturation that the user stated.
  saturated = 3,
  /// All bands are zero.
  zero = 4,
  /// No window that was read so far held the pixel.
  unread = 255,
};

}  // namespace hyperdefect::format
