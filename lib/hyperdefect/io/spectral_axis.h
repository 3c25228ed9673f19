// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/io/cube_info.h"
#include "hyperdefect/io/envi_header.h"

class GDALDataset;

namespace hyperdefect::io {

/// Fills in bands.wavelengths_nm, fwhm_nm, good and wavelength_source from an ENVI header.
/// @throws InputError where a list does not have one entry a band.
void read_spectral_axis(const EnviHeader& header, const std::string& unit, CubeInfo& info);

/// The same from a dataset without ENVI header, in this order: the bands' domain IMAGERY, the bands' own
/// metadata, the dataset's domain ENVI.
void read_spectral_axis(GDALDataset& dataset, const std::string& unit, CubeInfo& info);

}  // namespace hyperdefect::io
