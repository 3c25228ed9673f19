// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hyperdefect/engine/fitted_model.h"
#include "hyperdefect/engine/observer.h"
#include "hyperdefect/engine/results.h"
#include "hyperdefect/engine/run_config.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/io/find_cubes.h"

namespace hyperdefect::engine {

/// What to do where an output is already there.
enum class Existing { refuse, overwrite, resume };

/// The maps of a cube and the threshold that holds for them.
struct ScoredCube {
  model::ScoreMaps maps;
  double threshold = 0.0;
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

/// A run over many cubes.
struct BatchJob {
  std::vector<io::CubeInput> cubes;
  std::filesystem::path output;
  Existing existing = Existing::refuse;
  RunConfig config;
  Provenance made_with;
  /// Whether the scorer writes STEM_model.safetensors too.
  bool saves_models = false;
};

struct BatchReport {
  std::vector<ResultRow> rows;
  std::int64_t failed = 0;
  std::int64_t skipped = 0;
};

/// Called when a cube begins: its place in the batch, counted from 1.
using CubeBegins = std::function<void(std::size_t number, const io::CubeInput& cube)>;

/// Checks the output folder before any work: it can be written, and nothing in it would be replaced unasked.
/// @throws UsageError naming the first file in the way, or the results of another run where `resume` is
/// asked.
void check_outputs(const BatchJob& job);

/// Scores every cube and writes its results, the table, the summary and the effective configuration. A cube
/// that fails is named in the table and does not stop the others. Where the observer asks to stop, what was
/// finished stands.
/// @throws Interrupted
BatchReport run_batch(const BatchJob& job, CubeScorer& scorer, Observer& observer, const CubeBegins& begins);

}  // namespace hyperdefect::engine
