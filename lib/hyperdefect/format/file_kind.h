// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace hyperdefect::format {

/// What the first bytes of a file say that it is, whatever its name and whatever lies beside it.
enum class FileKind {
  /// Nothing known: raw data, or text.
  unknown,
  // Images of any number of bands.
  tiff,
  jpeg2000,
  netcdf,
  hdf4,
  hdf5,
  fits,
  // Pictures.
  png,
  jpeg,
  gif,
  bmp,
  webp,
  // No images, or only a description of one.
  xml,
  pdf,
  zip,
  gzip,
  sqlite,
  bzip2,
  xz,
  zstd,
  lz4,
  seven_zip,
  rar,
  tar,
  matlab,
  numpy,
  safetensors,
  parquet,
  elf,
  nitf,
  isis,
  pds,
  pcidsk,
  erdas,
  kro,
  openexr,
  grib,
};

/// The kind of a file by its content; unknown if the file cannot be read.
FileKind file_kind(const std::filesystem::path& path);

/// "TIFF", "netCDF" ...; "unknown".
std::string_view name_of(FileKind kind);

/// Whether such files describe themselves and may hold an image of many bands: TIFF, JPEG 2000, netCDF, HDF,
/// FITS.
bool may_hold_cube(FileKind kind);

/// Whether such files are pictures: PNG, JPEG, GIF, BMP, WebP.
bool is_picture(FileKind kind);

/// Whether the file begins like text: no byte of its first 512 is a control character other than a tab or a
/// line end. An empty file is no text.
bool is_text(const std::filesystem::path& path);

}  // namespace hyperdefect::format
