// SPDX-License-Identifier: Apache-2.0
#include "app/commands/run_batch.h"

#include <algorithm>
#include <fstream>
#include <iostream>

#include "app/cli/console.h"
#include "app/cli/inputs.h"
#include "app/cli/signals.h"
#include "app/cli/table.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/core/version.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/engine/references.h"
#include "hyperdefect/files/result_names.h"
#include "hyperdefect/platform/device.h"

namespace hyperdefect::app {
namespace {

engine::Existing existing_of(const BatchOptions& options) {
  if (options.overwrite && options.resume) {
    throw UsageError("--overwrite and --resume contradict each other: give one");
  }
  return options.overwrite ? engine::Existing::overwrite
         : options.resume  ? engine::Existing::resume
                           : engine::Existing::refuse;
}

engine::BatchJob job_of(const BatchOptions& options, const PreparedBatch& prepared) {
  engine::BatchJob job;
  engine::check_region(prepared.config.data);
  job.existing = existing_of(options);
  job.output = options.output;
  job.config = prepared.config;
  job.cubes = engine::without_references(find_inputs(options.inputs), job.config.data);
  job.saves_models = prepared.saves_models;
  job.made_with.version = version();
  job.made_with.command = prepared.command;
  job.made_with.configuration =
      text::concat(fingerprint(model::schema_of(job.config).to_yaml([](const config::SectionTraits& section) {
        return section.travels_with_model;
      })));
  job.made_with.model = prepared.model_fingerprint;
  job.made_with.seed = job.config.run.seed;
  job.made_with.threads = platform::use_threads(job.config.run.threads);
  return job;
}

void print_plan(const engine::BatchJob& job) {
  for (const auto& cube : job.cubes) {
    std::cout << text::printable(cube.path.string()) << " -> "
              << text::printable((job.output / cube.relative).string()) << files::kScoreEnding << '\n';
  }
}

std::string word_for(const engine::ResultRow& row) {
  return row.ok ? decision::to_string(row.verdict) : "failed";
}

/// The table, and below it a line for each cube that was not judged: why.
void print_rows(const std::vector<engine::ResultRow>& rows) {
  std::vector<std::vector<std::string>> lines;
  std::string reasons;
  for (const auto& row : rows) {
    lines.push_back({row.file, word_for(row), std::to_string(row.defects), std::to_string(row.defect_pixels),
                     fixed(row.score_max, 3), fixed(row.threshold, 3), fixed(row.sad_p99, 4),
                     fixed(row.seconds, 1)});
    if (row.verdict == decision::Verdict::undecided) {
      reasons += text::concat(row.file, ": undecided: ", row.reason, '\n');
    }
  }
  std::cout << table({"cube", "verdict", "defects", "pixels", "score max", "threshold", "SAD p99", "seconds"},
                     lines)
            << reasons;
}

ExitCode exit_code_of(const BatchOptions& options, const engine::BatchReport& report) {
  if (report.failed > 0 || report.undecided > 0) {
    return ExitCode::partial;
  }
  const auto rejected = [](const engine::ResultRow& row) {
    return row.verdict == decision::Verdict::rejected;
  };
  const bool found = std::any_of(report.rows.begin(), report.rows.end(), rejected);
  return options.fail_on_defect && found ? ExitCode::defect_found : ExitCode::ok;
}

}  // namespace

void add_batch_options(CLI::App& command, BatchOptions& options) {
  command
      .add_option("INPUT", options.inputs,
                  "Cubes (data file or .hdr), folders (every cube below), quoted globs, @list.txt.")
      ->required();
  command.add_option("-o,--output", options.output, "Folder for the results.")
      ->type_name("DIR")
      ->check(not_empty())
      ->required();
  command.add_flag("--overwrite", options.overwrite, "Replace results that exist.");
  command.add_flag("--resume", options.resume, "Continue an interrupted run: finished cubes are kept.");
  command.add_flag("--dry-run", options.dry_run,
                   "Show what would be done, and check that it is possible. Write nothing.");
  command.add_flag("--json", options.json, "Print the run's summary as JSON instead of a table.");
  command.add_flag("--fail-on-defect", options.fail_on_defect, "Exit with 10 if a cube has a defect.");
  add_run_options(command, options.common);
}

ExitCode run_batch(const BatchOptions& options, const PreparedBatch& prepared) {
  Console console("look for cubes");
  const auto job = job_of(options, prepared);
  if (options.dry_run) {
    engine::check_outputs(job);
    console.clear();
    print_plan(job);
    return ExitCode::ok;
  }
  console.progress({"prepare", 0, 0, {}});
  const auto claim = engine::claim_outputs(job);
  const auto scorer = prepared.make_scorer();
  const auto resume_hint = text::concat("; finished cubes are in ", options.output,
                                        ": repeat the command with --resume to continue");
  const StopMessage stop_message("stopped" + resume_hint);
  engine::BatchReport report;
  try {
    report = engine::run_batch(job, *scorer, console, [&](std::size_t number, const files::CubeInput& cube) {
      console.set_subject(text::concat('[', number, '/', job.cubes.size(), "] ", cube.relative.string()));
    });
  } catch (const Interrupted& reason) {
    console.clear();
    throw Interrupted(reason.what() + resume_hint);
  }
  console.clear();
  if (report.skipped > 0) {
    log::info(text::concat(report.skipped, " of ",
                           text::pluralise(static_cast<std::int64_t>(job.cubes.size()), "cube"),
                           " were already finished"));
  }
  if (report.others > 0) {
    log::info(text::concat("the tables in ", options.output, " list ", text::pluralise(report.others, "cube"),
                           " of earlier runs, too"));
  }
  if (options.json) {
    std::cout << std::ifstream(job.output / files::kSummary).rdbuf();
  } else {
    print_rows(report.rows);
  }
  return exit_code_of(options, report);
}

}  // namespace hyperdefect::app
