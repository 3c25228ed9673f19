// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "hyperdefect/engine/batch_job.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/engine/results.h"
#include "hyperdefect/engine/run_folder.h"
#include "hyperdefect/engine/scorer.h"

namespace hyperdefect::engine {

struct BatchReport {
  /// Of this run's cubes, in their order; the tables list those of the whole folder.
  std::vector<ResultRow> rows;
  std::int64_t failed = 0;
  std::int64_t undecided = 0;
  std::int64_t skipped = 0;
  /// Cubes of earlier runs whose rows are in the tables too.
  std::int64_t others = 0;
};

/// Called when a cube begins: its place in the batch, counted from 1.
using CubeBegins = std::function<void(std::size_t number, const files::CubeInput& cube)>;

/// Scores every cube and writes its results, the table, the summary and the effective configuration. One
/// folder holds the results of one provenance: the tables list them all, also those of cubes that this run
/// does not judge, and leave out what another run has made. A cube that fails, for whatever reason, is named
/// in the table and does not stop the others; a single one is the run's error, which names it. If the
/// monitor asks to stop, what was finished stands.
///
///     BatchJob job;
///     job.cubes = files::find_cubes({"scans/"}).cubes;
///     job.output = "maps";
///     SceneScorer scorer(job.config, "");  // fits a detector to each cube
///     ProgressMonitor monitor;
///     const auto claim = claim_outputs(job);
///     const BatchReport report = run_batch(job, scorer, monitor, {});
///
/// @throws Interrupted; StorageError if the disk takes nothing more, so that all the others would fail too.
BatchReport run_batch(const BatchJob& job, CubeScorer& scorer, ProgressMonitor& monitor,
                      const CubeBegins& begins);

}  // namespace hyperdefect::engine
