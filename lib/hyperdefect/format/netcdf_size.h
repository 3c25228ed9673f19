// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace hyperdefect::format {

/// How many bytes a file in one of netCDF's classic formats (CDF-1, CDF-2, CDF-5) must have at least, as its
/// header says; nothing if the header cannot be read, which the netCDF library refuses itself. What is
/// missing at the end of such a file reads as zeros without any error.
///
/// Source: NetCDF Users' Guide, "File Structure and Performance", "The NetCDF Classic Format Specification".
std::optional<std::uint64_t> classic_netcdf_bytes(const std::filesystem::path& path);

}  // namespace hyperdefect::format
