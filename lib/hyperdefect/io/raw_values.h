// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/core/window.h"
#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/format/gdal_dataset.h"
#include "hyperdefect/format/pixel_flags.h"

namespace hyperdefect::io {

/// The numbers of all bands, counted from 0.
std::vector<std::int64_t> all_bands(const format::CubeInfo& info);

/// (bands, rows, cols): the values of bands, counted from 0, as the file holds them; float32, or float64
/// where float32 would lose digits. @throws InputError if the file cannot be read.
torch::Tensor raw_values(GDALDataset& dataset, const format::CubeInfo& info, const Window& window,
                         const std::vector<std::int64_t>& bands);

/// Tests one band, raw[index], against its rule.
void judge(const torch::Tensor& raw, std::int64_t index, const format::BandRule& rule,
           format::PixelFlags& flags);

}  // namespace hyperdefect::io
