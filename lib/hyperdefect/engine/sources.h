// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "hyperdefect/engine/run_config.h"
#include "hyperdefect/io/cube_reader.h"
#include "hyperdefect/model/block_source.h"

namespace hyperdefect::engine {

/// The reader's options that a configuration asks for.
io::ReadOptions read_options(const DataOptions& options);

/// A cube file as a source of blocks.
class CubeSource : public model::BlockSource {
 public:
  /// @throws InputError where the file is not a cube that can be read.
  CubeSource(const std::filesystem::path& file, const DataOptions& options);

  std::string name() const override;
  Size size() const override;
  const spectral::Bands& bands() const override;
  spectral::Block read(const Window& window) override;
  const io::CubeInfo& info() const { return reader_.info(); }
  /// (rows, cols) uint8 of io::PixelState, as far as windows were read.
  const torch::Tensor& pixel_states() const { return reader_.pixel_states(); }

 private:
  io::CubeReader reader_;
};

/// A source in memory: a tensor that was made, or a cube that was read once because it fits.
class MemorySource : public model::BlockSource {
 public:
  /// The whole cube, read in one block.
  explicit MemorySource(model::BlockSource& source);
  /// @param values (bands, rows, cols) float32 @param valid (rows, cols) bool
  MemorySource(std::string name, spectral::Bands bands, torch::Tensor values, torch::Tensor valid);

  std::string name() const override { return name_; }
  Size size() const override { return {values_.size(1), values_.size(2)}; }
  const spectral::Bands& bands() const override { return bands_; }
  spectral::Block read(const Window& window) override;

 private:
  std::string name_;
  spectral::Bands bands_;
  torch::Tensor values_;
  torch::Tensor valid_;
};

}  // namespace hyperdefect::engine
