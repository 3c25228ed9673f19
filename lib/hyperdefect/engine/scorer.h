// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "hyperdefect/engine/fitted_model.h"
#include "hyperdefect/engine/observer.h"
#include "hyperdefect/engine/run_config.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/engine/verdict.h"
#include "hyperdefect/model/block_source.h"

namespace hyperdefect::engine {

/// The maps of a cube, the threshold that holds for them, and how many pixels a verdict needs.
struct ScoredCube {
  model::ScoreMaps maps;
  double threshold = 0.0;
  ValidReference reference;
};

/// How a cube gets its maps: by a trained model, or by a detector fitted on the cube itself.
class CubeScorer {
 public:
  virtual ~CubeScorer() = default;
  /// Tells a cube, before it is read, which of its bands count; see CubeSource.
  virtual void prepare(CubeSource&, Observer&) const {}
  /// @param relative the cube's path below its INPUT, which its random numbers are derived from.
  virtual ScoredCube score(model::BlockSource& source, const std::filesystem::path& relative,
                           Observer& observer) = 0;
};

/// Scores by a model that was trained; each cube's bands are matched to the model's.
class ModelScorer : public CubeScorer {
 public:
  ModelScorer(std::shared_ptr<const FittedModel> model, std::int64_t ram_mb);
  void prepare(CubeSource& cube, Observer& observer) const override;
  ScoredCube score(model::BlockSource& source, const std::filesystem::path& relative,
                   Observer& observer) override;

 private:
  std::shared_ptr<const FittedModel> model_;
  std::int64_t ram_mb_;
};

/// Fits a detector on the very cube that it scores.
class SceneScorer : public CubeScorer {
 public:
  /// @param save_models also writes STEM_model.safetensors below this folder; empty: not.
  SceneScorer(RunConfig config, std::filesystem::path save_models);
  void prepare(CubeSource& cube, Observer& observer) const override;
  ScoredCube score(model::BlockSource& source, const std::filesystem::path& relative,
                   Observer& observer) override;

 private:
  RunConfig config_;
  std::filesystem::path save_models_;
};

}  // namespace hyperdefect::engine
