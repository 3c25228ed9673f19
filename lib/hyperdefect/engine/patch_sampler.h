// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/model/run_config.h"
#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::engine {

/// Draws batches of patches from the training cubes, as the detector prepares them. A cube that fits into
/// memory is prepared once, others are read window by window.
///
/// The last holdout_fraction of each cube's rows is never drawn from.
///
///     PatchSampler sampler(detector, sources, config.train, config.run.ram_mb);
///     auto generator = at::detail::createCPUGenerator(7);
///     const detector::Batch batch = sampler.draw(generator);  // (patches, components, rows, cols)
class PatchSampler {
 public:
  PatchSampler(const detector::Pipeline& detector,
               std::vector<std::shared_ptr<preprocess::BlockSource>> sources,
               const model::TrainOptions& options, std::int64_t ram_mb);

  /// Patches of one size, flipped and turned if options.augment says so; cubes smaller than the patch are
  /// filled up with invalid pixels.
  detector::Batch draw(at::Generator& generator);

  /// The held-out part of each cube, cut into pieces of at most the patch's size; empty without a held-out
  /// part.
  std::vector<detector::Batch> held_out();

 private:
  spectral::Block prepared(std::size_t source, const Window& window);
  Size training_part(std::size_t source) const;

  const detector::Pipeline& detector_;
  std::vector<std::shared_ptr<preprocess::BlockSource>> sources_;
  model::TrainOptions options_;
  Size patch_;
  torch::Tensor weights_;
  std::vector<spectral::Block> cache_;
};

}  // namespace hyperdefect::engine
