// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/files/find_cubes.h"
#include "hyperdefect/model/run_config.h"
#include "hyperdefect/preprocess/block_source.h"
#include "hyperdefect/spectral/material_split.h"

// The pixels of a cube that are the product: data.region.

namespace hyperdefect::engine {

/// Whether data.region names a file or a folder.
bool names_a_file(const model::DataOptions& options);

/// Looks at what data.region names before any cube is opened.
/// @throws ConfigError if it does not exist; InputError if it is neither a folder, polygons nor a mask.
void check_region(const model::DataOptions& options);

/// The file that holds the cube's region: data.region itself, or if that is a folder, the cube's mask in it:
/// its name with .png or .tif, in the same folder below as the cube's results, else at the top. Nothing if
/// data.region names no file. @throws InputError if the folder has no mask of the cube, or two.
std::optional<std::filesystem::path> region_file_of(const files::CubeInput& cube,
                                                    const model::DataOptions& options);

/// Restricts the source to the region that the options' file states, less data.region_border_px.
/// @throws InputError if there is no such file, it cannot be read or does not fit, or no pixel is left.
void apply_region_file(CubeSource& source, const files::CubeInput& cube, const model::DataOptions& options);

/// What tells the product from what is around it, and how clear that is, in words.
struct ProductSplit {
  /// Positive values are the product; none if the cubes show nothing else.
  std::optional<spectral::MaterialSplit> split;
  std::string remark;
};

/// A sample of the spectra of cubes, by which the product is told from what is around it.
///
///     ProductSample sample(sources, config.detector.preprocess);
///     const auto product = sample.split(config.detector.preprocess, model::ProductMaterial::darker);
///     log::info(product.remark);
class ProductSample {
 public:
  using Sources = std::vector<std::shared_ptr<preprocess::BlockSource>>;

  /// Valid pixels of prepared sources, in the bands that the options leave in use; without those that are
  /// empty in the first source. @throws InputError if a source cannot be read, or no pixel is valid.
  ProductSample(const Sources& sources, const preprocess::PreprocessOptions& options);

  /// For the bands that the options leave in use, which are among those of the sample.
  /// @throws InputError if the spectra hold more than one material, but no two that are clearly apart.
  ProductSplit split(const preprocess::PreprocessOptions& options, model::ProductMaterial product) const;

 private:
  spectral::Bands bands_;
  std::vector<std::int64_t> empty_;
  std::vector<std::int64_t> indices_;
  torch::Tensor spectra_;
};

/// Restricts the source to the product that the split tells, less data.region_border_px. Holes of at most 2 %
/// of the product's pixels are filled, so that a defect is not cut out. Pixels that are not valid stay
/// inside. Without a split the whole image is the product.
/// @param bands that the split takes. @throws InputError if no pixel is left; Interrupted.
void apply_product_split(CubeSource& source, const spectral::Bands& bands, const model::RunConfig& config,
                         const std::optional<spectral::MaterialSplit>& split, ProgressMonitor& monitor);

}  // namespace hyperdefect::engine
