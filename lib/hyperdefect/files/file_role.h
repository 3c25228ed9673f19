// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hyperdefect/format/envi_header.h"

namespace hyperdefect::files {

/// What a file that lies in a folder with cubes is for.
enum class FileRole {
  cube,
  /// Pixels that are marked: of defects, clouds, one class.
  mask,
  white_reference,
  dark_reference,
  /// A map, picture or table that this program has written.
  result,
  /// 8 bit and at most four bands, or a format of pictures (PNG, JPEG ...).
  picture,
  class_map,
  spectral_library,
  /// Where each pixel lies and from where it was seen: location, observation, input geometry, lookup table.
  geometry,
  bad_pixel_map,
  /// An image of few bands with an ESRI header, which is not an ENVI header: elevations, mostly.
  esri_image,
  /// What programs put beside an image of the same name: its overviews, its mask.
  sidecar,
  /// The ENVI header of an image that has another one, which goes first.
  second_header,
  /// Its name begins with a dot.
  hidden,
  /// A link to a folder that is searched anyway.
  repeated_folder,
  /// A pipe, a socket or a device: opening it could wait forever.
  special,
  other,
};

/// What an ENVI image is for, by its header first and by its name only if the header agrees: a file that
/// states wavelengths is a cube, whatever it is called, but for white and dark references, which nothing but
/// their names gives away (role_of_name() in reference_names.h).
/// @param image the data file, or the header if there is none.
/// @throws InputError for a header that does not say how many bands there are.
FileRole role_of_envi(const format::EnviHeader& header, const std::filesystem::path& image);

/// What a file without an ENVI header is for, by its content, and by its name only if the content agrees.
/// A file that cannot be read counts by its extension, so that reading it can say why.
FileRole role_of_file(const std::filesystem::path& file);

/// A file that was left out of a search, and what it is for.
struct LeftOut {
  std::filesystem::path path;
  FileRole role = FileRole::other;
  bool operator==(const LeftOut&) const = default;
};

/// "left out 3 files that are not cubes: 2 masks (a_mask.png, b_mask.png), 1 class map (c.img)"; of many of a
/// kind, the first ones are named. Empty if nothing was left out.
std::string describe(const std::vector<LeftOut>& left_out);

}  // namespace hyperdefect::files
