// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/model/detector.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::test {

inline at::Generator seeded(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

/// An autoencoder that trains and scores in milliseconds: 4 pixels a token, windows of 8 pixels.
inline model::DetectorOptions tiny_options() {
  model::DetectorOptions options;
  options.preprocess.components = 4;
  options.model.features = {8, 8, 8};
  options.model.lift_channels = 2;
  options.model.lift_kernel = {3, 3, 3};
  options.model.lift_stride = {2, 1, 1};
  options.model.heads = 2;
  options.model.attention_window = 2;
  options.model.precision = "float32";
  options.learning.hole_sizes_px = {3};
  options.score.smoothing_px = 0.0;
  options.segmenter.features = {8, 8, 8};
  options.segmenter.heads = 2;
  options.segmenter.networks = 1;
  options.segmenter.draws = 2;
  options.segmenter.share = 1.0;
  return options;
}

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

/// The whole of a cube as one block, every pixel valid.
inline spectral::Block whole_block(const torch::Tensor& values) {
  const Size size{values.size(1), values.size(2)};
  return {values, torch::ones({size.rows, size.cols}, torch::kBool), whole(size), size};
}

/// The sum of the losses of a step, a scalar, after its preparations.
inline torch::Tensor loss_of(model::Detector& detector, const model::Batch& batch, at::Generator& generator) {
  for (const auto& task : detector.preparations(batch, generator)) {
    task();
  }
  auto sum = torch::zeros({});
  for (const auto& loss : detector.losses(batch, generator)) {
    const auto value = loss();
    sum = sum.to(value.device()) + value;
  }
  return sum;
}

/// A window of a block that is a whole image.
inline spectral::Block cut(const spectral::Block& scene, const Window& window) {
  const auto part = [&window](const torch::Tensor& tensor) {
    return tensor.narrow(-2, window.row, window.rows).narrow(-1, window.col, window.cols);
  };
  return {part(scene.values), part(scene.valid), window, scene.image};
}

}  // namespace hyperdefect::test
