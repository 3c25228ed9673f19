// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace hyperdefect::io {

/// What in an HDF5 file (netCDF-4 files are such) leads out of it: a dataset that keeps its values in another
/// file, a virtual dataset that takes them from one, or a link into one. The text names the first such object
/// and the file; "" if all is in the file itself. Nothing that it names is opened.
/// A file that the HDF5 library cannot open gives "cannot be opened as HDF5".
///
/// Source: HDF5 User's Guide, "External storage", "Virtual dataset", "External links".
std::string reference_out_of_hdf5(const std::filesystem::path& path);

/// Keeps the HDF5 library from printing its error stack on this thread: GDAL tells the failure as well.
void silence_hdf5();

}  // namespace hyperdefect::io
