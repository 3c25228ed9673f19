// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/trainer.h"

#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/version.h"
#include "hyperdefect/engine/sources.h"

namespace hyperdefect::engine {
namespace {

/// What two trainings must agree in so that one can go on where the other stopped.
std::string job_text(const TrainJob& job) {
  auto config = job.config;
  std::string text =
      version() + '\n' +
      schema_of(config).to_yaml({"data", "preprocess", "model", "train", "score", "threshold"}) +
      std::to_string(config.run.seed);
  for (const auto& cube : job.cubes) {
    text += '\n' + cube.relative.generic_string();
  }
  return text::cat(fingerprint(text));
}

std::vector<std::shared_ptr<model::BlockSource>> open(const TrainJob& job) {
  std::vector<std::shared_ptr<model::BlockSource>> sources;
  for (const auto& cube : job.cubes) {
    sources.push_back(std::make_shared<CubeSource>(cube.path, job.config.data));
  }
  return sources;
}

/// All cubes are matched before the first is learned from: a training must not fail in its last hour.
void check_bands(model::Detector& detector, const FitJob& job) {
  for (const auto& source : job.sources) {
    try {
      detector.bind(source->bands());
    } catch (const ModelError& reason) {
      throw InputError(text::cat(source->name(), ": does not match the first cube, ",
                                 job.sources.front()->name(), ": ", reason.what()));
    }
  }
}

void set_threshold_on_cubes(FittedModel& model, const FitJob& job, Observer& observer) {
  const auto& options = model.config.threshold;
  const double held_out = options.method == "far" ? job.train.holdout_fraction : 0.0;
  if (options.method == "far" && held_out == 0.0) {
    log::warning(
        "threshold.method is far, but train.holdout_fraction is 0: the false-alarm rate is that on the "
        "training pixels, a little too low for others");
  }
  set_threshold(model, training_scores(*model.detector, job, held_out, observer));
}

void refuse_unasked(const std::filesystem::path& file, const std::string& what) {
  if (std::filesystem::exists(file)) {
    throw UsageError(text::cat(file.string(), " exists (", what,
                               "): nothing was done; take another name with -o, ",
                               "replace it with --overwrite, or go on with --resume"));
  }
}

TrainReport finished_earlier(const TrainJob& job, const TrainFiles& files) {
  TrainReport report{load_model(files.model), {}, true};
  if (report.model.training != job_text(job)) {
    throw UsageError(
        text::cat(files.model.string(),
                  " was trained on other cubes or with another configuration: take another name with -o, "
                  "or train it anew with --overwrite"));
  }
  // A run that was killed after its last step may have left it.
  std::filesystem::remove(files.checkpoint);
  return report;
}

}  // namespace

TrainFiles::TrainFiles(const std::filesystem::path& output) : model(output) {
  auto stem = output;
  stem.replace_extension();
  checkpoint = stem.string() + ".checkpoint.safetensors";
  metrics = stem.string() + ".metrics.csv";
  config = stem.string() + ".config.yaml";
}

void check_outputs(const TrainJob& job) {
  const TrainFiles files(job.output);
  if (job.output.extension() != ".safetensors") {
    throw UsageError(text::cat("the model's name must end in .safetensors, given ", job.output.string()));
  }
  make_output_folder(job.output.parent_path());
  if (!job.overwrite && !job.resume) {
    refuse_unasked(files.model, "a model");
    refuse_unasked(files.checkpoint, "an unfinished training");
    refuse_unasked(files.metrics, "the metrics of a training");
    refuse_unasked(files.config, "the configuration of a training");
  }
}

TrainReport train(const TrainJob& job, Observer& observer) {
  const TrainFiles files(job.output);
  if (job.resume && std::filesystem::exists(files.model)) {
    return finished_earlier(job, files);
  }
  if (job.overwrite) {
    // The old model goes first: a repetition with --resume must not take it for this run's.
    std::filesystem::remove(files.model);
    std::filesystem::remove(files.checkpoint);
  }
  FitJob fit_job;
  fit_job.sources = open(job);
  fit_job.train = job.config.train;
  fit_job.ram_mb = job.config.run.ram_mb;
  fit_job.seed = static_cast<std::uint64_t>(job.config.run.seed);
  fit_job.checkpoint = files.checkpoint;
  fit_job.resume = job.resume;
  fit_job.job = job_text(job);

  torch::manual_seed(fit_job.seed);
  TrainReport report;
  report.model.config = job.config;
  report.model.training = fit_job.job;
  report.model.training_cubes = static_cast<std::int64_t>(job.cubes.size());
  make_detector(report.model, fit_job.sources);
  check_bands(*report.model.detector, fit_job);
  leave_out_extremes(fit_job, report.model);
  report.fit = fit(*report.model.detector, fit_job, observer);
  set_threshold_on_cubes(report.model, fit_job, observer);

  auto config = job.config;
  write_file(files.metrics, history_csv(report.fit.history));
  write_file(files.config, schema_of(config).to_yaml());
  save_model(files.model, report.model);
  std::filesystem::remove(files.checkpoint);
  return report;
}

}  // namespace hyperdefect::engine
