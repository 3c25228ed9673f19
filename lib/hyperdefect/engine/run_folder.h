// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "hyperdefect/core/file_lock.h"
#include "hyperdefect/engine/batch_job.h"
#include "hyperdefect/engine/results.h"

// The output folder of a batch: who holds it, what in it is finished, and its tables.

namespace hyperdefect::engine {

/// Holds the output folder for this run, as long as the result lives, and checks before any work that it can
/// be written and that nothing in it would be replaced unasked. What killed runs have left is cleared away.
///
///     const FileLock claim = claim_outputs(job);
///     std::vector<ResultRow> rows;
///     for (const auto& cube : job.cubes) {
///       const auto finished = finished_row(job, cube);
///       rows.push_back(finished ? *finished : run_cube(job, cube, scorer, monitor));
///     }
///     write_tables(job, rows);
///
/// @throws UsageError naming the run that holds the folder, the first file in the way, or, if `resume` is
/// asked, the results of another run.
FileLock claim_outputs(const BatchJob& job);

/// Looks whether claim_outputs() would take the outputs now, without making or changing anything.
/// @throws UsageError as claim_outputs() does.
void check_outputs(const BatchJob& job);

/// The row of a cube that an earlier run with the same provenance has finished: of the same file, with the
/// same size and time, and with all its result files. Else a line in the log says why it is judged again.
std::optional<ResultRow> finished_row(const BatchJob& job, const files::CubeInput& cube);

/// Removes all results of the cube, also those that another configuration or another input has left. What a
/// run does not write, or fails to write, would be taken for its result.
void remove_results(const BatchJob& job, const files::CubeInput& cube);

/// Removes what says that the cube is finished, if its folder lies in the output.
void remove_mark(const BatchJob& job, const files::CubeInput& cube);

/// Removes the tables of an earlier run, which must not stand beside what this run changes.
void remove_tables(const BatchJob& job);

/// The rows of cubes that this run does not judge, but whose results with the same provenance are in the
/// folder, by name; and those that an earlier run said to have failed. A warning counts results of other
/// runs, which the tables leave out.
std::vector<ResultRow> rows_of_other_cubes(const BatchJob& job);

/// Writes scores.csv, summary.json and config.yaml.
void write_tables(const BatchJob& job, const std::vector<ResultRow>& rows);

}  // namespace hyperdefect::engine
