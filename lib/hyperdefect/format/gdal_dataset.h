// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gdal_priv.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/format/georeference.h"

namespace hyperdefect::format {

/// While it lives, what GDAL complains about on this thread is kept here instead of printed.
class GdalErrors {
 public:
  GdalErrors();
  ~GdalErrors();
  GdalErrors(const GdalErrors&) = delete;
  GdalErrors& operator=(const GdalErrors&) = delete;

  bool any() const { return !failures_.empty(); }
  /// The first failure, which is the cause of those behind it; or "no reason given".
  std::string reason() const;

 private:
  static void collect(CPLErr level, CPLErrorNum code, const char* message);

  std::vector<std::string> failures_;
};

/// While it lives, GDAL writes no .aux.xml files beside what this thread writes.
class NoSidecarFiles {
 public:
  NoSidecarFiles();
  ~NoSidecarFiles();
  NoSidecarFiles(const NoSidecarFiles&) = delete;
  NoSidecarFiles& operator=(const NoSidecarFiles&) = delete;
};

struct CloseDataset {
  void operator()(GDALDataset* dataset) const;
};
using DatasetPtr = std::unique_ptr<GDALDataset, CloseDataset>;

/// Opens a raster for reading; null, with the reason in a GdalErrors that lives, if GDAL cannot. Only drivers
/// that read the named file alone may open it, besides those of `more_drivers`, and the name is that of a
/// file, never one of GDAL's connection strings. An HDF5 file that leads out of itself is not opened unless
/// HDF5 is among `more_drivers`.
/// @throws ConfigError if a driver has no such name.
DatasetPtr open_raster(const std::filesystem::path& path, const std::vector<std::string>& more_drivers = {});

/// The driver, none of those, that recognises the file but may open other files or the network; or "".
std::string other_driver_of(const std::filesystem::path& path, const std::vector<std::string>& more_drivers);

/// The same with these drivers alone.
DatasetPtr open_raster_with(const std::filesystem::path& path, const std::vector<std::string>& drivers);

/// Opens the arrays of a netCDF or HDF file (GDAL's multidimensional view), under the same conditions.
DatasetPtr open_arrays(const std::filesystem::path& path, const std::vector<std::string>& more_drivers);

/// Opens a file of shapes (GeoJSON, GeoPackage, shapefile ...) for reading; null, with the reason in a
/// GdalErrors that lives, if GDAL cannot. Only drivers that read the named file, and the parts of a shapefile
/// beside it, may open it.
DatasetPtr open_shapes(const std::filesystem::path& path);

/// A band of bytes in memory, all zero.
DatasetPtr memory_raster(const Size& size);

/// Creates a raster without writing it (that happens while it is filled and closed). @throws Error with
/// GDAL's reason.
DatasetPtr create_raster(const char* driver, const std::filesystem::path& path, int cols, int rows, int bands,
                         GDALDataType type, const std::vector<std::string>& options);

/// Closes what was written. @throws Error if writing failed or GDAL complained since `errors` began: a
/// full disk may only show when the file is closed.
void finish_raster(DatasetPtr dataset, CPLErr written, const GdalErrors& errors,
                   const std::filesystem::path& target);

Georeference georeference_of(GDALDataset& dataset);
void set_georeference(GDALDataset& dataset, const Georeference& georeference);

/// @throws InputError for a TIFF of several pages: GDAL reads the first one and does not speak of the others.
void check_one_page(GDALDataset& dataset, const std::filesystem::path& path);

/// A TIFF whose writer was killed opens, and its missing blocks read as zeros without any error.
/// @throws InputError for a TIFF of which a block is missing, or ends behind the end of the file.
void check_tiff_blocks(GDALDataset& dataset, const std::filesystem::path& path);

/// The no-data value of a band, whatever its type.
std::optional<double> no_data_of(GDALRasterBand& band);

/// The numbers of a raster's bands, counted from 1. The bands of an ENVI file are all spectral: its header
/// knows no alpha.
struct BandNumbers {
  std::vector<int> spectral;
  std::vector<int> alpha;
};
BandNumbers band_numbers(GDALDataset& dataset);

/// A size or coordinate as GDAL takes it. @throws InputError if it exceeds GDAL's range.
int gdal_int(std::int64_t value);

}  // namespace hyperdefect::format
