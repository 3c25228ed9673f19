// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/format/envi_header.h"

class GDALDataset;

namespace hyperdefect::format {

/// Fills in bands.wavelengths_nm, fwhm_nm, good and wavelength_source from an ENVI header. Lists of fwhm and
/// bad bands that do not have one entry a band are left out, with a warning.
/// @throws InputError if the wavelengths do not have one entry a band, or if a value is not finite.
void read_spectral_axis(const EnviHeader& header, spectral::WavelengthUnit unit, CubeInfo& info);

/// The same from a file that describes itself: the header beside it, if there is one, counts before the
/// arrays of a netCDF or HDF file, the bands' domain IMAGERY, the bands' own metadata and the dataset's
/// domain ENVI.
void read_spectral_axis(GDALDataset& dataset, const std::optional<EnviHeader>& header,
                        spectral::WavelengthUnit unit, CubeInfo& info);

}  // namespace hyperdefect::format
