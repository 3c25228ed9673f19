// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "hyperdefect/decision/objects.h"
#include "hyperdefect/decision/verdict.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/model/drift.h"
#include "hyperdefect/model/fitted_model.h"
#include "hyperdefect/model/region_choice.h"
#include "hyperdefect/model/run_config.h"
#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::engine {

/// The maps of a cube, what marks its pixels, and how many pixels a verdict needs.
struct ScoredCube {
  detector::ScoreMaps maps;
  decision::DetectionRule rule;
  decision::ValidReference reference;
  /// How far the whole cube is from the training cubes; none if that is not known.
  std::optional<model::Drift> drift{};
};

/// Tells a cube, before it is read, which of its bands the model takes.
/// @throws ModelError if the bands do not match, or one is reflectance and the other is not.
void prepare_for_model(CubeSource& cube, const model::FittedModel& model, ProgressMonitor& monitor);

/// How a cube gets its maps: by a trained model, or by a detector fitted on the cube itself.
///
///     ModelScorer scorer(fitted, 4096);
///     CubeSource cube("scan.img", fitted->config.data);
///     ProgressMonitor monitor;
///     scorer.prepare(cube, monitor);
///     const ScoredCube scored = scorer.score(cube, "scan", monitor);
///     const auto objects = find_objects(scored.maps.score, scored.maps.valid, scored.rule);
class CubeScorer {
 public:
  virtual ~CubeScorer() = default;
  /// Tells a cube, before it is read, which of its bands and, if data.region is automatic, of its pixels
  /// count; see CubeSource.
  virtual void prepare(CubeSource&, ProgressMonitor&) {}
  /// @param relative the cube's path below its INPUT, which its random numbers are derived from.
  virtual ScoredCube score(preprocess::BlockSource& source, const std::filesystem::path& relative,
                           ProgressMonitor& monitor) = 0;
};

/// Scores by a model that was trained; each cube's bands are matched to the model's.
class ModelScorer : public CubeScorer {
 public:
  ModelScorer(std::shared_ptr<const model::FittedModel> model, std::int64_t ram_mb);
  void prepare(CubeSource& cube, ProgressMonitor& monitor) override;
  ScoredCube score(preprocess::BlockSource& source, const std::filesystem::path& relative,
                   ProgressMonitor& monitor) override;

 private:
  std::shared_ptr<const model::FittedModel> model_;
  std::int64_t ram_mb_;
};

/// Fits a detector on the very cube that it scores.
class SceneScorer : public CubeScorer {
 public:
  /// @param save_models also writes STEM_model.safetensors below this folder; empty: not.
  SceneScorer(model::RunConfig config, std::filesystem::path save_models);
  void prepare(CubeSource& cube, ProgressMonitor& monitor) override;
  ScoredCube score(preprocess::BlockSource& source, const std::filesystem::path& relative,
                   ProgressMonitor& monitor) override;

 private:
  struct Product {
    model::ProductMaterial material;
    ProductSample sample;
  };

  model::RunConfig config_;
  std::filesystem::path save_models_;
  /// Of the cube that was prepared last, if data.region is automatic.
  std::optional<Product> product_;
};

}  // namespace hyperdefect::engine
