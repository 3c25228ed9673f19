// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace hyperdefect::image {

/// The extent of an ellipse twice as long as wide, in units of the square root of its area.
inline constexpr double kTwiceAsLongAsWide = 1.6;

/// Whether a filter takes out what is brighter than its surroundings, or what is darker as well.
enum class TopHat { bright, both };

/// What an area filter takes out of maps (components, rows, cols), float32 (areas, components, rows, cols):
/// for each area a, (map - opening), and for TopHat::both + (closing - map). The opening lowers each pixel to
/// the highest level at which its 4-connected component of pixels as bright or brighter is large: has at
/// least a pixels (Vincent, "Grayscale area openings and closings", 1993), or is at least extent * sqrt(a)
/// pixels long along the rows or the columns (an attribute opening: Breen and Jones, "Attribute openings,
/// thinnings, and granulometries", 1996). The closing does the same to dark components. A region of usable
/// pixels that is not large itself becomes flat, at its lowest and its highest level.
///
/// With a finite extent lines and edges are no small objects, whatever their area.
///
/// The image is taken to go on mirrored: a component that touches the first or the last row counts twice and
/// is twice as high, and likewise with columns. Otherwise every region that the border cuts off would look
/// like a small object.
///
/// Pixels that are not `valid` (rows, cols) bool, or NaN, take no part, join nothing, and get 0. A result
/// depends on nothing farther than area_filter_reach_px() away. It is exact, without quantisation: all areas
/// come from one component tree a map and direction, built by union-find from the sorted pixels (Berger et
/// al., "Effective component tree computation with application to pattern recognition in astronomical
/// imaging", 2007).
torch::Tensor area_top_hats(const torch::Tensor& maps, const torch::Tensor& valid,
                            const std::vector<std::int64_t>& areas_px,
                            double extent = std::numeric_limits<double>::infinity(),
                            TopHat hats = TopHat::both);

/// How many pixels around a pixel its area_top_hats() depend on.
std::int64_t area_filter_reach_px(const std::vector<std::int64_t>& areas_px, double extent);

/// Bytes that area_top_hats() needs for a pixel in each thread, beside maps and result.
std::int64_t area_filter_bytes_per_pixel(const std::vector<std::int64_t>& areas_px);

}  // namespace hyperdefect::image
