// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/engine/references.h"
#include "hyperdefect/io/cube_reader.h"
#include "hyperdefect/model/run_config.h"
#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::engine {

/// The reader's options that a configuration asks for.
format::ReadOptions read_options(const model::DataOptions& options);

/// A cube file as a source of blocks, as reflectance if it has references.
///
///     CubeSource cube("scan.img", config.data);
///     ProgressMonitor monitor;
///     cube.prepare_to_fit(config.detector.preprocess, monitor);
///     MemorySource in_memory(cube);
///     const spectral::Block corner = in_memory.read({0, 0, 64, 64});
class CubeSource : public preprocess::BlockSource {
 public:
  /// Says which references convert it. @throws InputError if the file is not a cube that can be read, or as
  /// reflectance_of() does.
  CubeSource(const std::filesystem::path& file, const model::DataOptions& options);

  std::string name() const override;
  Size size() const override;
  const spectral::Bands& bands() const override;
  spectral::Block read(const Window& window) override;
  std::vector<std::int64_t> empty_bands() const override { return empty_bands_; }
  bool is_reflectance() const override { return !references_.white.empty(); }

  /// For a detector that is fitted on this cube: the bands that the options leave in use decide which pixels
  /// are valid. Bands among them without any value in the image are marked as bad and empty, and a warning
  /// names them. Warns too of a spectrum that looks like missing data which nobody calls so.
  /// @throws InputError if no band is in use, or the cube cannot be read; Interrupted.
  void prepare_to_fit(const preprocess::PreprocessOptions& options, ProgressMonitor& monitor);
  /// For a model that takes these bands: only the bands that it reads decide which pixels are valid.
  /// @throws ModelError if the bands do not match; InputError if the model reads a band without any value.
  void prepare_for(const spectral::Bands& model, const preprocess::PreprocessOptions& options,
                   ProgressMonitor& monitor);
  /// Restricts the cube to the product: all other pixels are invalid, PixelState::outside.
  /// @param region (rows, cols) bool
  void set_region(const torch::Tensor& region) { reader_.set_region(region); }
  /// (rows, cols) bool; not defined if the whole image is the product.
  const torch::Tensor& region() const { return reader_.region(); }
  const format::CubeInfo& info() const { return reader_.info(); }
  /// Those that are applied; no `white` if the values are as the file holds them.
  const ReferencePaths& references() const { return references_; }
  /// Elements of the detector whose values are interpolated.
  std::int64_t dead_elements() const { return dead_elements_; }
  /// The share of the region's pixels that hold the most common spectrum, 0 if it is small. Known once the
  /// source was prepared.
  double common_share() const { return common_share_; }
  /// (rows, cols) uint8 of format::PixelState, as far as windows were read.
  const torch::Tensor& pixel_states() const { return reader_.pixel_states(); }

 private:
  void convert_to_reflectance(const model::DataOptions& options);
  std::vector<std::int64_t> bands_without_values(ProgressMonitor& monitor);
  std::string named(const std::vector<std::int64_t>& bands) const;
  void warn_of_bad_bands(const std::vector<bool>& read) const;
  void warn_of_undeclared_fill();
  std::set<double> no_data_values() const;
  std::string advice_on(const io::CommonSpectrum& spectrum) const;

  io::CubeReader reader_;
  format::ReadOptions options_;
  ReferencePaths references_;
  std::int64_t dead_elements_ = 0;
  std::vector<std::int64_t> empty_bands_;
  double common_share_ = 0.0;
};

/// A source that somebody else keeps alive, for those who take shared ones.
inline std::shared_ptr<preprocess::BlockSource> not_owned(preprocess::BlockSource& source) {
  return {std::shared_ptr<void>(), &source};
}

/// A source in memory: a tensor that was made, or a cube that was read once because it fits.
class MemorySource : public preprocess::BlockSource {
 public:
  /// The whole cube, read in one block.
  explicit MemorySource(preprocess::BlockSource& source);
  /// @param values (bands, rows, cols) float32 @param valid (rows, cols) bool
  MemorySource(std::string name, spectral::Bands bands, torch::Tensor values, torch::Tensor valid);

  std::string name() const override { return name_; }
  Size size() const override { return {values_.size(1), values_.size(2)}; }
  const spectral::Bands& bands() const override { return bands_; }
  spectral::Block read(const Window& window) override;
  std::vector<std::int64_t> empty_bands() const override { return empty_bands_; }
  bool is_reflectance() const override { return is_reflectance_; }

 private:
  std::string name_;
  spectral::Bands bands_;
  std::vector<std::int64_t> empty_bands_;
  bool is_reflectance_ = false;
  torch::Tensor values_;
  torch::Tensor valid_;
};

}  // namespace hyperdefect::engine
