// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/run_folder.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/cube_stamp.h"
#include "hyperdefect/engine/references.h"
#include "hyperdefect/engine/result_files.h"
#include "hyperdefect/engine/run_lock.h"
#include "hyperdefect/files/file_stamp.h"
#include "hyperdefect/files/result_names.h"
#include "hyperdefect/format/file_access.h"

namespace hyperdefect::engine {
namespace {

namespace fs = std::filesystem;

/// A row takes 1 or 2 KB; a longer JSON file is somebody else's.
constexpr std::uintmax_t kLongestRow = 1 << 20;

ResultFiles files_of(const BatchJob& job, const files::CubeInput& cube) {
  return {job.output, cube.relative};
}

fs::path summary_of(const BatchJob& job) {
  return job.output / files::kSummary;
}

std::vector<fs::path> tables_of(const BatchJob& job) {
  return {job.output / files::kScoresTable, job.output / files::kObjectsTable, summary_of(job),
          job.output / files::kConfiguration};
}

void remove_file(const fs::path& file) {
  std::error_code failure;
  fs::remove(file, failure);
  if (failure && format::is_there(file)) {
    throw Error(text::concat("cannot remove ", file.string(), ": ", failure.message()));
  }
}

void refuse_existing(const fs::path& file) {
  if (format::is_there(file)) {
    throw UsageError(text::concat(file.string(),
                                  " exists: nothing was done; choose another folder with -o, replace it with "
                                  "--overwrite, or continue with --resume"));
  }
}

void refuse_existing_files(const BatchJob& job) {
  for (const auto& cube : job.cubes) {
    const auto files = files_of(job, cube);
    for (const auto& file : files.all()) {
      refuse_existing(file);
    }
    if (job.saves_models) {
      refuse_existing(files.model());
    }
  }
  for (const auto& file : tables_of(job)) {
    refuse_existing(file);
  }
}

/// Every STEM.json below the output folder, sorted. Links to folders are not followed.
std::vector<fs::path> row_files(const BatchJob& job) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(job.output, fs::directory_options::skip_permission_denied,
                                              failure);
       !failure && entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    std::error_code vanished;
    if (entry->path().extension() == ".json" && entry->is_regular_file(vanished) &&
        entry->file_size(vanished) <= kLongestRow && read_provenance(entry->path())) {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void refuse_other_runs(const BatchJob& job) {
  for (const auto& file : row_files(job)) {
    if (*read_provenance(file) != job.made_with) {
      throw UsageError(text::concat(
          file.string(),
          " was made by another run (another version, configuration, model, seed or number of threads): "
          "repeat that run's command, start again with --overwrite, or choose another folder with -o"));
    }
  }
}

/// The folders that the results go to.
std::set<fs::path> folders_of(const BatchJob& job) {
  std::set<fs::path> folders;
  for (const auto& cube : job.cubes) {
    folders.insert(files_of(job, cube).folder());
  }
  return folders;
}

/// A run may hold a folder below this one's.
void refuse_held_below(const BatchJob& job, const std::set<fs::path>& folders) {
  std::set<fs::path> below;
  for (auto folder : folders) {
    for (; folder != job.output && folder.has_relative_path(); folder = folder.parent_path()) {
      below.insert(folder);
    }
  }
  for (const auto& folder : below) {
    refuse_held_folder(folder);
  }
}

/// What the folders hold already must suit the run.
void check_content(const BatchJob& job, const std::set<fs::path>& folders) {
  refuse_held_below(job, folders);
  if (job.existing == Existing::refuse) {
    refuse_existing_files(job);
  } else if (job.existing == Existing::resume) {
    refuse_other_runs(job);
  }
}

/// Whether a run of this program can have ended so.
bool is_finished(const ResultRow& row) {
  const bool found = row.defects > 0;
  return row.ok && row.verdict != decision::Verdict::none &&
         found == (row.verdict == decision::Verdict::rejected);
}

/// What is wrong with the first of the row's files that is not as it was written; "" if all are.
std::string lost_file(const BatchJob& job, const ResultFiles& files, const ResultRow& row) {
  for (const auto& written : row.files) {
    const auto file = files.folder() / written.name;
    std::error_code failure;
    if (!format::is_there(file)) {
      return file.string() + " is missing";
    }
    if (!fs::is_regular_file(fs::symlink_status(file, failure)) ||
        static_cast<std::int64_t>(fs::file_size(file, failure)) != written.bytes) {
      return file.string() + " has changed since it was written";
    }
  }
  return job.saves_models && !format::is_there(files.model()) ? files.model().string() + " is missing"
                                                              : std::string();
}

void say_judged_again(const ResultFiles& files, const files::CubeInput& cube, const ResultRow& row,
                      const std::string& change, const std::string& path_now) {
  const auto path_then = row.input.path();
  if (path_then.empty()) {
    log::info(text::concat(cube.path.string(), " is judged again: it had changed while it was read"));
  } else if (path_then == path_now) {
    log::info(text::concat(cube.path.string(), " is judged again: ", change));
  } else {
    log::warning(text::concat(files.row().string(), " is the result of ", path_then,
                              " and is replaced by that of ", path_now,
                              ": choose another folder to keep both"));
  }
}

/// Which cube a row is about, also where it could not be opened.
std::string subject_of(const files::CubeStamp& input, const std::string& file) {
  return input.files.empty() ? file : input.path();
}

std::vector<ResultRow> failures_of_earlier_run(const BatchJob& job) {
  const auto summary = read_summary(summary_of(job));
  std::vector<ResultRow> failed;
  if (summary && summary->made_with == job.made_with) {
    std::copy_if(summary->rows.begin(), summary->rows.end(), std::back_inserter(failed),
                 [](const ResultRow& row) { return !row.ok; });
  }
  return failed;
}

}  // namespace

void check_outputs(const BatchJob& job) {
  check_references(job.config.data);
  const auto folders = folders_of(job);
  check_output_folder(job.output);
  refuse_held_folder(job.output);
  check_content(job, folders);
}

FileLock claim_outputs(const BatchJob& job) {
  check_references(job.config.data);
  const auto folders = folders_of(job);
  make_output_folder(job.output);
  auto lock = hold_for_run(job.output / kFolderLockName, job.output.string(), job.made_with);
  check_content(job, folders);
  for (const auto& folder : folders) {
    remove_dead_temporaries(folder);
  }
  return lock;
}

std::optional<ResultRow> finished_row(const BatchJob& job, const files::CubeInput& cube) {
  const auto files = files_of(job, cube);
  const auto stored = read_row(files.row());
  if (!stored || !is_finished(stored->row) || stored->made_with != job.made_with) {
    return std::nullopt;
  }
  const auto now = as_stored(stamp_of(cube, job.config.data));
  if (const auto change = files::change_between(stored->row.input, now); !change.empty()) {
    say_judged_again(files, cube, stored->row, change, now.path());
    return std::nullopt;
  }
  if (const auto lost = lost_file(job, files, stored->row); !lost.empty()) {
    log::info(text::concat(cube.path.string(), " is judged again: ", lost));
    return std::nullopt;
  }
  auto row = stored->row;
  row.file = cube.path.string();
  return row;
}

void remove_results(const BatchJob& job, const files::CubeInput& cube) {
  const auto files = files_of(job, cube);
  const auto stored = read_row(files.row());
  for (const auto& file : files.all()) {
    remove_file(file);
  }
  // A model of an earlier run would be taken for this one's.
  remove_file(files.model());
  for (const auto& written : stored ? stored->row.files : std::vector<WrittenFile>()) {
    remove_file(files.folder() / fs::path(written.name).filename());
  }
}

void remove_mark(const BatchJob& job, const files::CubeInput& cube) {
  const auto files = files_of(job, cube);
  if (files.lie_inside()) {
    remove_file(files.row());
  }
}

void remove_tables(const BatchJob& job) {
  for (const auto& file : tables_of(job)) {
    remove_file(file);
  }
}

std::vector<ResultRow> rows_of_other_cubes(const BatchJob& job) {
  std::set<fs::path> own_rows;
  std::set<std::string> subjects;
  for (const auto& cube : job.cubes) {
    own_rows.insert(files_of(job, cube).row());
    subjects.insert(subject_of(as_stored(files::stamp_of(cube.path)), cube.path.string()));
  }
  std::vector<ResultRow> rows;
  std::vector<fs::path> of_other_runs;
  for (const auto& file : row_files(job)) {
    if (own_rows.contains(file)) {
      continue;
    }
    if (const auto stored = read_row(file); stored && stored->made_with == job.made_with) {
      rows.push_back(stored->row);
      subjects.insert(subject_of(stored->row.input, stored->row.file));
    } else {
      of_other_runs.push_back(file);
    }
  }
  if (!of_other_runs.empty()) {
    log::warning(text::concat(job.output.string(), ": the tables leave out ",
                              text::pluralise(static_cast<std::int64_t>(of_other_runs.size()), "result"),
                              " of another run; the first is ", of_other_runs.front().string()));
  }
  for (auto& failed : failures_of_earlier_run(job)) {
    if (!subjects.contains(subject_of(failed.input, failed.file))) {
      rows.push_back(std::move(failed));
    }
  }
  return rows;
}

void write_tables(const BatchJob& job, const std::vector<ResultRow>& rows) {
  auto config = job.config;
  const auto yaml = model::schema_of(config).to_yaml();
  write_file(job.output / files::kScoresTable, scores_csv(rows));
  write_file(job.output / files::kObjectsTable, objects_csv(rows));
  write_file(job.output / files::kConfiguration, yaml);
  write_file(summary_of(job), summary_json(rows, job.made_with, yaml));
}

}  // namespace hyperdefect::engine
