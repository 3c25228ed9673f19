// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "hyperdefect/image/crop.h"
#include "hyperdefect/spectral/types.h"
#include "support/seeded.h"

namespace hyperdefect::test {

/// Bands from 400 nm on, 10 nm apart.
inline spectral::Bands regular_bands(std::int64_t count) {
  spectral::Bands bands{count, {}, {}, {}};
  for (std::int64_t i = 0; i < count; ++i) {
    bands.wavelengths_nm.push_back(400.0 + 10.0 * static_cast<double>(i));
  }
  return bands;
}

/// (bands, rows, cols): two smooth spectra mixed by a smooth map, and a little noise; all values are
/// positive.
inline torch::Tensor smooth_scene(std::int64_t bands, Size size, std::uint64_t seed) {
  auto generator = seeded(seed);
  const auto axis = torch::linspace(0.0, 1.0, bands).view({-1, 1, 1});
  const auto rows = torch::arange(size.rows, torch::kFloat).view({1, -1, 1});
  const auto cols = torch::arange(size.cols, torch::kFloat).view({1, 1, -1});
  const auto part = 0.5 + 0.25 * (rows / 7).sin() + 0.25 * (cols / 5).cos();
  const auto clean = part * (0.3 + 0.4 * axis) + (1 - part) * (0.6 - 0.2 * (3 * axis).sin());
  return clean + 0.005 * torch::randn({bands, size.rows, size.cols}, generator, torch::kFloat);
}

/// (rows, cols) bool, all of it true.
inline torch::Tensor all_valid(Size size) {
  return torch::ones({size.rows, size.cols}, torch::kBool);
}

/// The whole of a cube as one block, every pixel valid.
inline spectral::Block whole_block(const torch::Tensor& values) {
  const Size size{values.size(1), values.size(2)};
  return {values, all_valid(size), whole(size), size};
}

/// A window of a block that is a whole image.
inline spectral::Block cut(const spectral::Block& scene, const Window& window) {
  return {image::crop(scene.values, window), image::crop(scene.valid, window), window, scene.image,
          scene.cube};
}

}  // namespace hyperdefect::test
