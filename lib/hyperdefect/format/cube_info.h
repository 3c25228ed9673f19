// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/format/envi_header.h"
#include "hyperdefect/format/georeference.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::format {

/// What a user may say about a cube that its file does not say, or says wrongly.
struct ReadOptions {
  /// Values that mark missing data in any band; they override the file's own no-data values.
  std::vector<double> no_data;
  /// Whether gains, offsets and the reflectance scale factor of the file are applied.
  bool apply_scale = true;
  /// Whether a spectrum of zeros only makes a pixel invalid.
  bool zero_is_invalid = true;
  /// The raw value from which on a pixel is saturated, and so invalid.
  std::optional<double> saturation;
  /// Unit of the file's wavelengths: nm, um, or auto (what the file says, else guessed with a warning).
  spectral::WavelengthUnit wavelength_unit = spectral::WavelengthUnit::automatic;
  /// GDAL drivers that may open the file besides those that read the named file alone, by their short names.
  /// Formats of such drivers (VRT ...) may open other files or the network.
  std::vector<std::string> drivers;
};

/// The array of a netCDF or HDF file that is the cube, and which of its dimensions is which, counted from 0.
struct CubeArray {
  /// With its groups: "/reflectance".
  std::string name;
  int row_axis = 0;
  int col_axis = 1;
  /// -1 if the cube has one band and no dimension for it.
  int band_axis = -1;
};

/// What a cube is, without its pixels.
struct CubeInfo {
  /// The data file.
  std::filesystem::path path;
  /// The ENVI header, or empty. Raw data are described by it; a file that describes itself (TIFF ...) takes
  /// from it what the file does not say.
  std::filesystem::path header;
  /// Where the values of raw data lie; nothing for files that describe themselves.
  std::optional<EnviLayout> layout;
  /// Which array the cube is, for netCDF and HDF.
  std::optional<CubeArray> array;
  /// GDAL's short name of the format: ENVI, GTiff ...
  std::string driver;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  spectral::Bands bands;
  /// "uint8", "int16", "float32" ...; a type that holds the values of all bands if they differ.
  std::string data_type;
  std::int64_t bytes_per_value = 0;
  /// The numbers in the file, counted from 1, of `bands`; empty if they are all of the file's bands.
  std::vector<int> file_bands;
  /// The numbers in the file, counted from 1, of the alpha bands: they are not spectral, and mark pixels as
  /// missing where they are zero.
  std::vector<int> alpha_bands;
  /// The value that marks missing data, in raw units; absent if there is none or the bands differ.
  std::optional<double> no_data;
  /// Further ones, of all bands.
  std::vector<double> more_no_data;
  /// As `no_data` for each band; empty if the bands do not differ.
  std::vector<std::optional<double>> band_no_data;
  /// physical = raw * scale + offset, one per band, applied by the reader; empty if nothing is to be
  /// applied.
  std::vector<double> scale;
  std::vector<double> offset;
  Georeference georeference;
  Interleave interleave = Interleave::bsq;
  /// The block in which the file is stored: one line for ENVI, a tile or strip for TIFF.
  Size storage_block;
  /// Where the wavelengths were found, in words; "none" if there are none.
  std::string wavelength_source = "none";
  /// One a band, or empty.
  std::vector<std::string> band_names;

  Size size() const { return {rows, cols}; }
  /// The number in the file, counted from 1, of a band, counted from 0.
  int file_band(std::int64_t band) const {
    return file_bands.empty() ? static_cast<int>(band + 1) : file_bands[static_cast<std::size_t>(band)];
  }
};

/// Reads what a cube is, given its data file or its .hdr. What the file is follows from its content, never
/// from its name: raw data need an ENVI header, other files do not. Checks that the data are there: the size
/// of an ENVI data file against its header, the stored blocks of a GeoTIFF (a block that was never written
/// would read as zeros; sparse files are refused for the same reason). Reads no pixels.
/// @throws InputError naming the file for all that is no cube: a missing or short file, a classification, a
/// spectral library, complex values, lists that do not fit the bands.
CubeInfo read_cube_info(const std::filesystem::path& path, const ReadOptions& options = {});

}  // namespace hyperdefect::format
