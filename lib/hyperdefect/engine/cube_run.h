// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hyperdefect/engine/batch_job.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/engine/results.h"
#include "hyperdefect/engine/scorer.h"

namespace hyperdefect::engine {

/// Scores one cube, judges it and writes its results, STEM.json last. A cube whose files changed while they
/// were read is undecided whatever was found in it; then nothing but its row is written.
///
///     SceneScorer scorer(job.config, "");
///     ProgressMonitor monitor;
///     const ResultRow row = run_cube(job, job.cubes.front(), scorer, monitor);
///     std::cout << row.file << ": " << to_string(row.verdict) << ' ' << row.reason << '\n';
///
/// @throws Interrupted, StorageError, and whatever keeps the cube from being judged: InputError for a file
/// that cannot be read or has no valid pixel, ModelError, exceptions of LibTorch, of the file system ...
ResultRow run_cube(const BatchJob& job, const files::CubeInput& cube, CubeScorer& scorer,
                   ProgressMonitor& monitor);

}  // namespace hyperdefect::engine
