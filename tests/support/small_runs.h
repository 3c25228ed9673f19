// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "hyperdefect/io/cube_writer.h"

namespace hyperdefect::test {

inline std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// Options by which a network is trained in a tenth of a second.
inline std::vector<std::string> tiny_network() {
  std::vector<std::string> options{"--threads", "1"};
  for (const auto* setting : {"autoencoder.features=[8,8,8]", "autoencoder.heads=2", "train.epochs=2",
                              "train.steps_per_epoch=2", "train.batch=1", "autoencoder.mask_sizes_px=[3]",
                              "preprocess.components=6", "segmenter.features=[8,8,8]", "segmenter.heads=2",
                              "segmenter.networks=1", "segmenter.sign_augmentations=1"}) {
    options = joined(options, {"--set", setting});
  }
  return options;
}

/// For training cubes that are too few and too small for the rates that are promised by default.
inline std::vector<std::string> without_rates() {
  return {"--set", "threshold.method=quantile"};
}

inline std::vector<std::string> rx() {
  return {"--threads", "1", "--set", "model.detector=rx"};
}

/// `count` bands, 50 nm apart from 500 nm on.
inline spectral::Bands bands_from_500_nm(std::int64_t count) {
  spectral::Bands bands{count, {}, {}, {}};
  for (std::int64_t band = 0; band < count; ++band) {
    bands.wavelengths_nm.push_back(500.0 + 50.0 * static_cast<double>(band));
  }
  return bands;
}

/// (bands, rows, cols): mixtures of two materials with a little noise, all values within 0.1 to 1.
inline torch::Tensor mixtures(std::int64_t bands, std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  const auto axis = torch::linspace(0, 1, bands).view({-1, 1, 1});
  const auto part = torch::rand({1, rows, cols}, generator);
  const auto noise = torch::rand({bands, rows, cols}, generator) * 0.02;
  return part * (0.3 + 0.5 * axis) + (1 - part) * (0.7 - 0.4 * axis) + noise;
}

/// The same, with a foreign spectrum at row 2, columns 3 and 4.
inline torch::Tensor mixtures_with_defect(std::int64_t bands, std::int64_t rows, std::int64_t cols,
                                          std::uint64_t seed) {
  auto values = mixtures(bands, rows, cols, seed);
  const auto wave = 0.5 + 0.3 * torch::arange(bands).mul(2.0).sin();
  values.select(1, 2).slice(1, 3, 5).copy_(wave.unsqueeze(1).expand({bands, 2}));
  return values;
}

/// Writes the cube as ENVI, float32, with wavelengths.
inline std::string write_cube(const std::filesystem::path& file, const torch::Tensor& values) {
  std::filesystem::create_directories(file.parent_path());
  io::write_envi(file, values, bands_from_500_nm(values.size(0)));
  return file;
}

/// A cube of 8 bands and 16 x 12 pixels with a defect at row 2, columns 3 and 4.
inline std::string write_small_cube(const std::filesystem::path& file, std::uint64_t seed = 1) {
  return write_cube(file, mixtures_with_defect(8, 16, 12, seed));
}

}  // namespace hyperdefect::test
