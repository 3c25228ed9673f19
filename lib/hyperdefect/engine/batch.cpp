// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/batch.h"

#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/threshold.h"
#include "hyperdefect/io/map_writer.h"
#include "hyperdefect/io/overlay.h"
#include "hyperdefect/io/regions.h"
#include "hyperdefect/spectral/image_part.h"

namespace hyperdefect::engine {
namespace {

constexpr double kTailQuantile = 0.99;
constexpr std::uint8_t kInvalid = 255;

/// The files of one cube.
struct CubeFiles {
  explicit CubeFiles(std::filesystem::path stem) : stem_(std::move(stem)) {}
  std::filesystem::path with(const std::string& ending) const { return stem_.string() + ending; }
  std::filesystem::path score() const { return with("_score.tif"); }
  std::filesystem::path sad() const { return with("_sad.tif"); }
  std::filesystem::path defects() const { return with("_defects.tif"); }
  std::filesystem::path overlay() const { return with("_overlay.png"); }
  std::filesystem::path model() const { return with("_model.safetensors"); }
  std::filesystem::path part(const std::string& detector) const { return with("_part_" + detector + ".tif"); }
  std::filesystem::path row() const { return with(".json"); }
  /// Whatever a run with this configuration may write, but for the model.
  std::vector<std::filesystem::path> all(const RunConfig& config) const {
    std::vector<std::filesystem::path> files{row(), score(), sad(), defects(), overlay()};
    for (const auto& detector : config.model.fused) {
      files.push_back(part(detector));
    }
    return files;
  }

 private:
  std::filesystem::path stem_;
};

CubeFiles files_of(const BatchJob& job, const io::CubeInput& cube) {
  return CubeFiles(job.output / cube.relative);
}

std::vector<std::filesystem::path> run_files(const BatchJob& job) {
  return {job.output / "scores.csv", job.output / "summary.json", job.output / "config.yaml"};
}

void refuse_existing(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) {
    throw UsageError(text::cat(file.string(),
                               " exists: nothing was done; take another folder with -o, replace it with "
                               "--overwrite, or go on with --resume"));
  }
}

bool same_origin(const Provenance& a, const Provenance& b) {
  return a.version == b.version && a.command == b.command && a.configuration == b.configuration &&
         a.model == b.model && a.seed == b.seed && a.threads == b.threads;
}

/// The row of a cube that an earlier, interrupted run has finished.
std::optional<ResultRow> finished_row(const BatchJob& job, const io::CubeInput& cube) {
  const auto stored = read_row(files_of(job, cube).row());
  if (!stored || !stored->row.ok) {
    return std::nullopt;
  }
  return stored->row;
}

struct Summary {
  double max = std::nan("");
  double mean = std::nan("");
  double p99 = std::nan("");
};

Summary summary_of(const torch::Tensor& map) {
  const auto finite = map.index({map.isfinite()}).to(torch::kDouble);
  if (finite.numel() == 0) {
    return {};
  }
  return {finite.max().item<double>(), finite.mean().item<double>(), quantile_of(finite, kTailQuantile)};
}

/// 0 normal, 1 defect, 255 invalid.
torch::Tensor defect_map(const ScoredCube& scored, std::int64_t min_pixels) {
  const auto above = scored.maps.score.gt(scored.threshold).logical_and(scored.maps.valid);
  const auto defects = io::without_small_regions(above, min_pixels).to(torch::kByte);
  return torch::where(scored.maps.valid, defects, torch::full_like(defects, kInvalid));
}

/// The bands of the overlay's view, read in pieces so that no more than them is held.
torch::Tensor read_view(CubeSource& cube, model::BlockSource& source, std::int64_t ram_mb,
                        const torch::Tensor& valid) {
  const auto bands = torch::tensor(io::display_bands(cube.bands()), torch::kLong);
  const auto size = source.size();
  auto view = torch::zeros({bands.numel(), size.rows, size.cols});
  const PlanLimits limits{
      cube.bands().count * static_cast<std::int64_t>(sizeof(float)) * 2, ram_mb << 20, {1, 1}};
  for (const auto& window : plan_windows(size, Field{}, limits)) {
    const auto block = source.read(window.keep);
    spectral::part_of(view, window.keep).copy_(block.values.index_select(0, bands));
  }
  return io::quicklook(view, valid);
}

std::map<std::string, std::string> tags_of(const Provenance& made_with, double threshold) {
  std::map<std::string, std::string> tags{{"HYPERDEFECT_VERSION", made_with.version},
                                          {"HYPERDEFECT_THRESHOLD", text::number(threshold)},
                                          {"HYPERDEFECT_CONFIGURATION", made_with.configuration}};
  if (!made_with.model.empty()) {
    tags["HYPERDEFECT_MODEL"] = made_with.model;
  }
  return tags;
}

/// One cube from file to results.
class CubeRun {
 public:
  CubeRun(const BatchJob& job, const io::CubeInput& cube, CubeScorer& scorer, Observer& observer)
      : job_(job), input_(cube), scorer_(scorer), observer_(observer), files_(files_of(job, cube)) {}

  ResultRow run() {
    const auto start = std::chrono::steady_clock::now();
    CubeSource cube(input_.path, job_.config.data);
    std::shared_ptr<model::BlockSource> source;
    const auto scored = score(cube, source);
    const auto defects = defect_map(scored, job_.config.threshold.min_pixels);
    std::filesystem::create_directories(files_.row().parent_path());
    write_maps(cube, *source, scored, defects);
    auto row = row_of(cube, scored, defects);
    row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    write_row(files_.row(), row, job_.made_with);
    return row;
  }

 private:
  /// A detector knows no files: what it refuses gets the cube's name here.
  ScoredCube score(CubeSource& cube, std::shared_ptr<model::BlockSource>& source) const {
    const auto file = input_.path.string();
    try {
      scorer_.prepare(cube, observer_);
      source = in_memory_where_it_fits(cube);
      auto scored = scorer_.score(*source, input_.relative, observer_);
      if (!scored.maps.valid.any().item<bool>()) {
        throw InputError(
            "no pixel is valid, so there is nothing to judge; check no-data values and the cube's content");
      }
      return scored;
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& reason) {
      const std::string message = reason.what();
      throw message.find(file) == std::string::npos
          ? Error(text::cat(file, ": ", message), reason.exit_code())
          : reason;
    }
  }

  std::shared_ptr<model::BlockSource> in_memory_where_it_fits(CubeSource& cube) const {
    const auto bytes = cube.size().pixels() * cube.bands().count * static_cast<std::int64_t>(sizeof(float));
    if (bytes <= (job_.config.run.ram_mb << 20) / 4) {
      return std::make_shared<MemorySource>(cube);
    }
    return {std::shared_ptr<void>(), &cube};
  }

  void write_maps(CubeSource& cube, model::BlockSource& source, const ScoredCube& scored,
                  const torch::Tensor& defects) const {
    const auto tags = tags_of(job_.made_with, scored.threshold);
    const auto& place = cube.info().georeference;
    io::write_map(files_.score(), scored.maps.score, place, tags, std::nan(""));
    if (job_.config.output.sad) {
      io::write_map(files_.sad(), scored.maps.sad_rad, place, tags, std::nan(""));
    }
    io::write_map(files_.defects(), defects, place, tags, kInvalid);
    if (job_.config.output.parts) {
      for (const auto& [detector, map] : scored.maps.parts) {
        io::write_map(files_.part(detector), map, place, tags, std::nan(""));
      }
    }
    if (job_.config.output.overlay) {
      const auto view = read_view(cube, source, job_.config.run.ram_mb, scored.maps.valid);
      io::write_overlay(files_.overlay(), view, scored.maps.score, defects, scored.threshold);
    }
  }

  ResultRow row_of(const CubeSource& cube, const ScoredCube& scored, const torch::Tensor& defects) const {
    ResultRow row;
    row.file = input_.path.string();
    row.rows = cube.size().rows;
    row.cols = cube.size().cols;
    row.bands = cube.bands().count;
    row.defects = io::label_regions(defects.eq(1)).count;
    row.defect_pixels = defects.eq(1).sum().item<std::int64_t>();
    row.invalid_pixels = defects.eq(kInvalid).sum().item<std::int64_t>();
    row.accepted = row.defects == 0;
    const auto score = summary_of(scored.maps.score);
    const auto sad = summary_of(scored.maps.sad_rad);
    row.score_max = score.max, row.score_mean = score.mean, row.score_p99 = score.p99;
    row.sad_max = sad.max, row.sad_mean = sad.mean, row.sad_p99 = sad.p99;
    row.threshold = scored.threshold;
    return row;
  }

  const BatchJob& job_;
  const io::CubeInput& input_;
  CubeScorer& scorer_;
  Observer& observer_;
  CubeFiles files_;
};

/// What a batch makes of a cube that cannot be scored: a row with the reason.
ResultRow failed_row(const io::CubeInput& cube, const std::string& reason) {
  ResultRow row;
  row.file = cube.path.string();
  row.ok = false;
  row.error = reason;
  for (double* value : {&row.score_max, &row.score_mean, &row.score_p99, &row.sad_max, &row.sad_mean,
                        &row.sad_p99, &row.threshold}) {
    *value = std::nan("");
  }
  return row;
}

/// A row says that its cube is finished, and the tables that the run is: those of an earlier run must not
/// stand beside half of this run's maps.
void remove_marks_of_completion(const BatchJob& job) {
  for (const auto& file : run_files(job)) {
    std::filesystem::remove(file);
  }
  for (const auto& cube : job.cubes) {
    std::filesystem::remove(files_of(job, cube).row());
  }
}

/// What this run does not write, or fails to write, would be taken for its result.
void remove_results(const BatchJob& job, const io::CubeInput& cube) {
  for (const auto& file : files_of(job, cube).all(job.config)) {
    std::filesystem::remove(file);
  }
}

void write_tables(const BatchJob& job, const std::vector<ResultRow>& rows) {
  auto config = job.config;
  const auto yaml = schema_of(config).to_yaml();
  write_file(job.output / "scores.csv", scores_csv(rows));
  write_file(job.output / "config.yaml", yaml);
  write_file(job.output / "summary.json", summary_json(rows, job.made_with, yaml));
}

}  // namespace

ModelScorer::ModelScorer(std::shared_ptr<const FittedModel> model, std::int64_t ram_mb)
    : model_(std::move(model)), ram_mb_(ram_mb) {}

void ModelScorer::prepare(CubeSource& cube, Observer& observer) const {
  cube.prepare_for(model_->detector->bands(), model_->config.preprocess, observer);
}

ScoredCube ModelScorer::score(model::BlockSource& source, const std::filesystem::path&, Observer& observer) {
  auto maps = predict(*model_->detector, source, ram_mb_, observer);
  maps.score = calibrated(maps.score, *model_);
  return {std::move(maps), model_->threshold};
}

SceneScorer::SceneScorer(RunConfig config, std::filesystem::path save_models)
    : config_(std::move(config)), save_models_(std::move(save_models)) {}

void SceneScorer::prepare(CubeSource& cube, Observer& observer) const {
  cube.prepare_to_fit(config_.preprocess, observer);
}

ScoredCube SceneScorer::score(model::BlockSource& source, const std::filesystem::path& relative,
                              Observer& observer) {
  const auto seed = derive_seed(static_cast<std::uint64_t>(config_.run.seed), relative.generic_string());
  auto fitted = fit_scene(source, config_, seed, observer);
  auto maps = predict(*fitted.detector, source, config_.run.ram_mb, observer);
  set_threshold(fitted, maps.score.flatten());
  maps.score = calibrated(maps.score, fitted);
  if (!save_models_.empty()) {
    const auto path = CubeFiles(save_models_ / relative).model();
    std::filesystem::create_directories(path.parent_path());
    save_model(path, fitted);
  }
  return {std::move(maps), fitted.threshold};
}

void check_outputs(const BatchJob& job) {
  make_output_folder(job.output);
  if (job.existing == Existing::overwrite) {
    return;
  }
  for (const auto& cube : job.cubes) {
    const auto files = files_of(job, cube);
    if (job.existing == Existing::refuse) {
      for (const auto& file : files.all(job.config)) {
        refuse_existing(file);
      }
      if (job.saves_models) {
        refuse_existing(files.model());
      }
    } else if (const auto stored = read_row(files.row());
               stored && !same_origin(stored->made_with, job.made_with)) {
      throw UsageError(text::cat(files.row().string(),
                                 " was made by another run (another version, configuration, "
                                 "model, seed or number of threads): repeat that run's command, "
                                 "or start again with --overwrite"));
    }
  }
  if (job.existing == Existing::refuse) {
    for (const auto& file : run_files(job)) {
      refuse_existing(file);
    }
  }
}

BatchReport run_batch(const BatchJob& job, CubeScorer& scorer, Observer& observer, const CubeBegins& begins) {
  BatchReport report;
  if (job.existing == Existing::overwrite) {
    remove_marks_of_completion(job);
  }
  for (std::size_t i = 0; i < job.cubes.size(); ++i) {
    const auto& cube = job.cubes[i];
    if (job.existing == Existing::resume) {
      if (const auto finished = finished_row(job, cube)) {
        report.rows.push_back(*finished);
        ++report.skipped;
        continue;
      }
    }
    begins(i + 1, cube);
    if (job.existing == Existing::overwrite) {
      remove_results(job, cube);
    }
    try {
      report.rows.push_back(CubeRun(job, cube, scorer, observer).run());
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& reason) {
      if (job.cubes.size() == 1 || reason.exit_code() == ExitCode::failed) {
        throw;
      }
      log::error(reason.what());
      report.rows.push_back(failed_row(cube, reason.what()));
      ++report.failed;
    }
  }
  write_tables(job, report.rows);
  return report;
}

}  // namespace hyperdefect::engine
