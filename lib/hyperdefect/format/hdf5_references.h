// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace hyperdefect::format {

/// What in an HDF5 file (netCDF-4 files are such) leads out of it: a dataset that keeps its values in another
/// file, a virtual dataset that takes them from one, or a link into one. The text names the first such object
/// and the file; "" if all is in the file itself. Nothing that it names is opened.
/// @throws InputError, without the file's name, if the HDF5 library cannot read the file.
///
/// Source: HDF5 User's Guide, "External storage", "Virtual dataset", "External links".
std::string reference_out_of_hdf5(const std::filesystem::path& path);

/// The value that the writer of a dataset chose for elements that are never written, if it chose one.
/// @param dataset with its groups: "/reflectance".
std::optional<double> fill_value_of_hdf5(const std::filesystem::path& path, const std::string& dataset);

/// Keeps the HDF5 library from printing its error stack on this thread: GDAL tells the failure as well.
void silence_hdf5();

}  // namespace hyperdefect::format
