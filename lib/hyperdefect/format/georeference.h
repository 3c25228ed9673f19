// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace hyperdefect::format {

/// A pixel whose place on the ground is known: column and row (pixel corners at whole numbers), then x, y, z
/// in the control points' CRS.
struct ControlPoint {
  std::string id;
  double col = 0;
  double row = 0;
  double x = 0;
  double y = 0;
  double z = 0;
  bool operator==(const ControlPoint&) const = default;
};

/// Where an image lies on the ground, as its file states it. An image without a georeference gets none
/// invented.
struct Georeference {
  /// CRS of the transform as WKT, or "".
  std::string wkt;
  /// x = t[0] + col t[1] + row t[2], y = t[3] + col t[4] + row t[5] for pixel corners.
  std::optional<std::array<double, 6>> transform;
  /// CRS of the control points as WKT, or "".
  std::string gcp_wkt;
  std::vector<ControlPoint> gcps;

  bool empty() const { return wkt.empty() && !transform && gcps.empty(); }
  bool operator==(const Georeference&) const = default;
};

/// The name of a CRS that WKT describes: "WGS 84 / UTM zone 33N". If the file names none, as an ENVI header
/// does not, its geographic CRS and its projection: "WGS 84, Transverse_Mercator". "" of no CRS.
std::string crs_name(const std::string& wkt);

}  // namespace hyperdefect::format
