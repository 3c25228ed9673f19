// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gdal_priv.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/format/cube_info.h"

namespace hyperdefect::format {

using ArrayPtr = std::shared_ptr<GDALMDArray>;

/// The arrays of numbers in all groups of a file.
std::vector<ArrayPtr> arrays_of(GDALDataset& file);

/// Whether the array holds the wavelengths of the bands, by its name and its only dimension.
bool is_wavelength_array(const GDALMDArray& array);

/// The array that is the cube: the only one of three dimensions, or of two if there is none of three;
/// dimensions of one element do not count. Which dimension is which follows from their names, or from the
/// length of the file's wavelengths. @throws InputError naming the arrays or dimensions found.
CubeArray find_cube_array(GDALDataset& file, const std::filesystem::path& path);

/// The length of a dimension, counted from 0.
std::uint64_t size_along(const GDALMDArray& array, int axis);

/// All values that mark missing data by the attributes of the cube's array (_FillValue, missing_value,
/// Data_Ignore_Value ...), and the value that an HDF5 file is filled with.
/// @param path of the file.
std::vector<double> missing_values_of(GDALDataset& cube, const CubeArray& place,
                                      const std::filesystem::path& path);

/// The attributes of the cube's array that limit its valid values: valid_min, valid_max, valid_range.
std::vector<std::string> limits_of(GDALDataset& cube, const CubeArray& place);

}  // namespace hyperdefect::format
