// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/batch.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/cube_run.h"
#include "hyperdefect/engine/cube_stamp.h"
#include "hyperdefect/engine/result_files.h"

namespace hyperdefect::engine {
namespace {

/// What a batch makes of a cube that cannot be scored: a row with the reason.
ResultRow failed_row(const BatchJob& job, const files::CubeInput& cube, const std::string& reason) {
  ResultRow row;
  row.file = cube.path.string();
  row.ok = false;
  row.error = reason;
  row.input = stamp_of(cube, job.config.data);
  for (double* value :
       {&row.valid_share, &row.region_share, &row.score_max, &row.score_mean, &row.score_p99, &row.sad_max,
        &row.sad_mean, &row.sad_p99, &row.threshold, &row.min_evidence, &row.evidence_max, &row.drift}) {
    *value = std::nan("");
  }
  return row;
}

/// LibTorch puts a trace of its own stack behind the first line.
std::string first_line(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

/// LibTorch has no class for what its allocator on the CPU says.
bool is_out_of_memory(const std::exception& reason) {
  return dynamic_cast<const std::bad_alloc*>(&reason) != nullptr ||
         std::string_view(reason.what()).find("can't allocate memory") != std::string_view::npos;
}

/// Any exception as one line that names the cube: a detector or the file system does not know it.
Error named(const files::CubeInput& cube, const std::exception& reason) {
  const auto file = cube.path.string();
  const auto* own = dynamic_cast<const Error*>(&reason);
  if (own == nullptr) {
    log::debug(text::concat(file, ": ", reason.what()));
  }
  const auto message =
      is_out_of_memory(reason) ? std::string("out of memory: lower run.ram_mb") : first_line(reason.what());
  return Error(message.find(file) == std::string::npos ? text::concat(file, ": ", message) : message,
               own == nullptr ? ExitCode::failed : own->exit_code());
}

class Batch {
 public:
  Batch(const BatchJob& job, CubeScorer& scorer, ProgressMonitor& monitor, const CubeBegins& begins)
      : job_(job), scorer_(scorer), monitor_(monitor), begins_(begins) {}

  BatchReport run() {
    auto others = rows_of_other_cubes(job_);
    report_.others = static_cast<std::int64_t>(others.size());
    if (job_.existing == Existing::overwrite) {
      remove_marks_of_completion();
    }
    for (std::size_t i = 0; i < job_.cubes.size(); ++i) {
      auto row = row_of(i);
      report_.failed += row.ok ? 0 : 1;
      report_.undecided += row.verdict == decision::Verdict::undecided ? 1 : 0;
      report_.rows.push_back(std::move(row));
    }
    auto all = report_.rows;
    std::move(others.begin(), others.end(), std::back_inserter(all));
    write_tables(job_, all);
    return std::move(report_);
  }

 private:
  /// A row says that its cube is finished, and the tables that the run is: those of an earlier run must not
  /// stand beside half of this run's maps.
  void remove_marks_of_completion() const {
    remove_tables(job_);
    for (const auto& cube : job_.cubes) {
      remove_mark(job_, cube);
    }
  }

  ResultRow row_of(std::size_t index) {
    const auto& cube = job_.cubes[index];
    try {
      return judged(index);
    } catch (const Interrupted&) {
      throw;
    } catch (const StorageError&) {
      throw;
    } catch (const std::exception& reason) {
      const auto error = named(cube, reason);
      remove_parts(cube);
      if (job_.cubes.size() == 1) {
        if (error.what() == std::string_view(reason.what())) {
          throw;
        }
        throw error;
      }
      log::error(error.what());
      return failed_row(job_, cube, error.what());
    }
  }

  ResultRow judged(std::size_t index) {
    const auto& cube = job_.cubes[index];
    ResultFiles(job_.output, cube.relative).refuse_links_outside();
    if (job_.existing == Existing::resume) {
      if (auto finished = finished_row(job_, cube)) {
        ++report_.skipped;
        return std::move(*finished);
      }
    }
    if (begins_) {
      begins_(index + 1, cube);
    }
    if (job_.existing != Existing::refuse) {
      remove_tables(job_);
      remove_results(job_, cube);
    }
    return run_cube(job_, cube, scorer_, monitor_);
  }

  /// A cube that fails leaves nothing that could be taken for its result.
  void remove_parts(const files::CubeInput& cube) const {
    try {
      ResultFiles(job_.output, cube.relative).refuse_links_outside();
      remove_results(job_, cube);
    } catch (const Error& reason) {
      log::debug(reason.what());
    }
  }

  const BatchJob& job_;
  CubeScorer& scorer_;
  ProgressMonitor& monitor_;
  const CubeBegins& begins_;
  BatchReport report_;
};

}  // namespace

BatchReport run_batch(const BatchJob& job, CubeScorer& scorer, ProgressMonitor& monitor,
                      const CubeBegins& begins) {
  return Batch(job, scorer, monitor, begins).run();
}

}  // namespace hyperdefect::engine
