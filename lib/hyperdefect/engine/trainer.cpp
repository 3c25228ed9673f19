// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/version.h"
#include "hyperdefect/decision/false_alarm_rates.h"
#include "hyperdefect/decision/verdict.h"
#include "hyperdefect/engine/cross_fit.h"
#include "hyperdefect/engine/cube_stamp.h"
#include "hyperdefect/engine/drift.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/engine/references.h"
#include "hyperdefect/engine/run_lock.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/files/file_stamp.h"
#include "hyperdefect/format/pixel_state.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/preprocess/band_picker.h"

namespace hyperdefect::engine {
namespace {

using Sources = std::vector<std::shared_ptr<CubeSource>>;
using Stamps = std::vector<files::CubeStamp>;

std::string configuration_text(const TrainJob& job) {
  auto config = job.config;
  return text::concat(version(), '\n',
                      model::schema_of(config).to_yaml(
                          [](const config::SectionTraits& traits) { return traits.changes_results; }),
                      config.run.seed);
}

Stamps stamps_of(const TrainJob& job) {
  Stamps stamps;
  for (const auto& cube : job.cubes) {
    stamps.push_back(stamp_of(cube, job.config.data));
  }
  return stamps;
}

std::string cubes_text(const TrainJob& job, const Stamps& stamps) {
  std::string text;
  for (std::size_t i = 0; i < job.cubes.size(); ++i) {
    text += job.cubes[i].relative.generic_string() + '\n';
    for (const auto& file : stamps[i].files) {
      text += text::concat(file.path, ' ', file.size, ' ', file.modified_ns, '\n');
    }
  }
  return text;
}

/// What two trainings must agree in so that one can go on where the other stopped: configuration-cubes.
std::string job_text(const TrainJob& job, const Stamps& stamps) {
  return text::concat(fingerprint(configuration_text(job)), '-', fingerprint(cubes_text(job, stamps)));
}

void prepare_like_first(CubeSource& source, const spectral::Bands& bands,
                        const preprocess::PreprocessOptions& preprocess, ProgressMonitor& monitor) {
  try {
    source.prepare_for(bands, preprocess, monitor);
  } catch (const ModelError&) {
    // check_bands() says it in full.
  }
}

/// Counts and reflectance do not go together.
void refuse_other_values(const CubeSource& source, const CubeSource& first) {
  if (source.is_reflectance() == first.is_reflectance()) {
    return;
  }
  const auto& without = source.is_reflectance() ? first : source;
  const auto& with = source.is_reflectance() ? source : first;
  throw InputError(text::concat(without.name(), ": it has no white reference, but ",
                                with.references().white.filename().string(), " converts ", with.name(),
                                " to reflectance; give all training cubes references, or none "
                                "(data.references=none)"));
}

/// The first cube decides which bands the model takes.
Sources open(const TrainJob& job, ProgressMonitor& monitor) {
  Sources sources;
  auto preprocess = job.config.detector.preprocess;
  spectral::Bands bands;
  for (const auto& cube : job.cubes) {
    auto source = std::make_shared<CubeSource>(cube.path, job.config.data);
    apply_region_file(*source, cube, job.config.data);
    if (sources.empty()) {
      source->prepare_to_fit(preprocess, monitor);
      const auto empty = source->empty_bands();
      preprocess.drop_bands.insert(preprocess.drop_bands.end(), empty.begin(), empty.end());
      bands = preprocess::bands_in_use(source->bands(), preprocess);
    } else {
      refuse_other_values(*source, *sources.front());
      prepare_like_first(*source, bands, preprocess, monitor);
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

/// Restricts the sources to the product that they show, and gives the model what tells it.
/// @param options leave in use the bands of the model
void restrict_to_product(model::FittedModel& model, const ProductSplit& product, const Sources& sources,
                         const preprocess::PreprocessOptions& options, ProgressMonitor& monitor) {
  auto config = model.config;
  config.detector.preprocess = options;
  model.product = product.split;
  const auto bands = preprocess::bands_in_use(sources.front()->bands(), options);
  for (const auto& source : sources) {
    try {
      apply_product_split(*source, bands, config, product.split, monitor);
    } catch (const ModelError&) {
      // check_bands() says it in full.
    }
  }
}

/// Makes the detector. If data.region is automatic, the product is found first, so that no statistic counts
/// what is around it, and again if the detector then leaves bands out.
void make_detector_for_product(model::FittedModel& model, const FitJob& job, const Sources& sources,
                               ProgressMonitor& monitor) {
  const auto material = model::automatic_region(model.config.data.region);
  if (!material) {
    make_detector(model, job.sources);
    return;
  }
  auto options = model.config.detector.preprocess;
  const ProductSample sample(job.sources, options);
  const auto empty = sources.front()->empty_bands();
  options.drop_bands.insert(options.drop_bands.end(), empty.begin(), empty.end());
  const auto product = sample.split(options, *material);
  log::info(product.remark);
  restrict_to_product(model, product, sources, options, monitor);
  make_detector(model, job.sources);
  const auto& final_options = model.config.detector.preprocess;
  if (model.detector->bands() != preprocess::bands_in_use(sources.front()->bands(), options)) {
    restrict_to_product(model, sample.split(final_options, *material), sources, final_options, monitor);
  }
}

/// Reads what no pass has read, so that the state of every pixel is known.
void read_the_rest(CubeSource& source, const model::FittedModel& model, ProgressMonitor& monitor) {
  constexpr auto kUnread = static_cast<std::uint8_t>(format::PixelState::unread);
  for (const auto& window : plan_for(*model.detector, source, model.config.run.ram_mb)) {
    if (!image::crop(source.pixel_states(), window.write).eq(kUnread).any().item<bool>()) {
      continue;
    }
    if (monitor.stop_requested()) {
      throw Interrupted(text::concat("stopped while reading ", source.name()));
    }
    source.read(window.write);
  }
}

/// The share of valid pixels of each cube. @throws InputError for a cube without any: it teaches nothing.
std::vector<double> valid_shares(const Sources& sources, const model::FittedModel& model,
                                 ProgressMonitor& monitor) {
  std::vector<double> shares;
  for (const auto& source : sources) {
    read_the_rest(*source, model, monitor);
    shares.push_back(decision::valid_share_of(source->pixel_states()));
    if (shares.back() == 0.0) {
      throw InputError(text::concat(source->name(),
                                    ": no pixel is valid, so there is nothing to learn from; leave the cube "
                                    "out, or check its no-data values"));
    }
  }
  return shares;
}

/// The smallest share, without cubes that lack half of what is common: one spoiled cube must not excuse
/// missing data in all that are judged later.
double usual_valid_share(const Sources& sources, const std::vector<double>& shares) {
  auto sorted = shares;
  std::sort(sorted.begin(), sorted.end());
  const double least = sorted[sorted.size() / 2] / 2;
  double usual = 1.0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] >= least) {
      usual = std::min(usual, shares[i]);
    } else {
      log::warning(text::concat(sources[i]->name(), ": only ",
                                text::to_text(std::round(shares[i] * 1000) / 10),
                                " % of its pixels are valid, far fewer than in the other training cubes: "
                                "this cube is ignored for data.min_valid_share"));
    }
  }
  return usual;
}

void refuse_changed(const TrainJob& job, const Stamps& before) {
  const auto now = stamps_of(job);
  for (std::size_t i = 0; i < job.cubes.size(); ++i) {
    if (const auto change = files::change_between(before[i], now[i]); !change.empty()) {
      throw InputError(text::concat(job.cubes[i].path.string(), ": it changed while it was read (", change,
                                    "): train again when it is complete"));
    }
  }
}

/// All cubes are matched before the first is learned from: a training must not fail in its last hour.
void check_bands(const detector::Pipeline& detector, const FitJob& job) {
  for (const auto& source : job.sources) {
    try {
      detector.picker(source->bands());
    } catch (const ModelError& reason) {
      throw InputError(text::concat(source->name(), ": does not match the first cube, ",
                                    job.sources.front()->name(), ": ", reason.what()));
    }
  }
}

void set_rule_on_cubes(model::FittedModel& model, const FitJob& job, ProgressMonitor& monitor) {
  const auto scores = held_out_scores(model, job, monitor);
  if (scores.in_sample) {
    log::warning(text::concat(model.config.threshold.folds < 2
                                  ? "threshold.folds is below 2"
                                  : "the only training cube has too few rows to be divided",
                              ": the threshold comes from pixels that the fit has seen, so that false alarms "
                              "are more often than they "
                              "seem"));
  }
  decision::set_rule(model, scores);
}

void refuse_unasked(const std::filesystem::path& file, const std::string& what) {
  if (std::filesystem::exists(file)) {
    throw UsageError(text::concat(file.string(), " exists (", what,
                                  "): nothing was done; choose another name with -o, ",
                                  "replace it with --overwrite, or continue with --resume"));
  }
}

/// What of two job_text() differs, in words.
std::string difference_between(const std::string& trained, const std::string& asked) {
  return trained.substr(0, trained.find('-')) != asked.substr(0, asked.find('-'))
             ? "was trained with another configuration"
             : "was trained on other cubes, or one of them has changed since";
}

TrainReport finished_earlier(const TrainFiles& files, const std::string& job) {
  TrainReport report{model::load_model(files.model), {}, true};
  if (report.model.training != job) {
    throw UsageError(text::concat(files.model.string(), ' ', difference_between(report.model.training, job),
                                  ": choose another name with -o, or train it again with --overwrite"));
  }
  // A run that was killed after its last step may have left it.
  std::filesystem::remove(files.checkpoint);
  return report;
}

Provenance provenance_of(const TrainJob& job) {
  return {version(),
          "train",
          text::concat(fingerprint(configuration_text(job))),
          "",
          job.config.run.seed,
          job.config.run.threads};
}

void refuse_existing(const TrainJob& job) {
  const TrainFiles files(job.output);
  if (!job.overwrite && !job.resume) {
    refuse_unasked(files.model, "a model");
    refuse_unasked(files.checkpoint, "an unfinished training");
    refuse_unasked(files.metrics, "the metrics of a training");
    refuse_unasked(files.config, "the configuration of a training");
  }
}

}  // namespace

void check_model_name(const std::filesystem::path& file) {
  if (file.extension() != ".safetensors") {
    throw UsageError(text::concat("the model's name must end in .safetensors, but it is ", file.string()));
  }
}

TrainFiles::TrainFiles(const std::filesystem::path& output) : model(output) {
  auto stem = output;
  stem.replace_extension();
  checkpoint = stem.string() + ".checkpoint.safetensors";
  metrics = stem.string() + ".metrics.csv";
  config = stem.string() + ".config.yaml";
  lock = output.parent_path() / text::concat('.', output.filename().string(), ".lock");
}

void check_outputs(const TrainJob& job) {
  check_model_name(job.output);
  check_references(job.config.data);
  check_output_folder(job.output.parent_path());
  refuse_existing(job);
}

FileLock claim_outputs(const TrainJob& job) {
  check_model_name(job.output);
  check_references(job.config.data);
  make_output_folder(job.output.parent_path());
  auto lock = hold_for_run(TrainFiles(job.output).lock, job.output.string(), provenance_of(job));
  refuse_existing(job);
  return lock;
}

TrainReport train(const TrainJob& job, ProgressMonitor& monitor) {
  const TrainFiles files(job.output);
  const auto stamps = stamps_of(job);
  const auto training = job_text(job, stamps);
  if (job.resume && std::filesystem::exists(files.model)) {
    return finished_earlier(files, training);
  }
  if (job.overwrite) {
    // The old model goes first: a repetition with --resume must not take it for this run's.
    std::filesystem::remove(files.model);
    std::filesystem::remove(files.checkpoint);
  }
  const auto sources = open(job, monitor);
  FitJob fit_job;
  fit_job.sources.assign(sources.begin(), sources.end());
  fit_job.train = job.config.train;
  fit_job.ram_mb = job.config.run.ram_mb;
  fit_job.seed = static_cast<std::uint64_t>(job.config.run.seed);
  fit_job.checkpoint = files.checkpoint;
  fit_job.resume = job.resume;
  fit_job.job = training;

  TrainReport report;
  report.model.config = job.config;
  report.model.training = training;
  report.model.training_cubes = static_cast<std::int64_t>(job.cubes.size());
  make_detector_for_product(report.model, fit_job, sources, monitor);
  check_bands(*report.model.detector, fit_job);
  report.model.training_valid_share =
      usual_valid_share(sources, valid_shares(sources, report.model, monitor));
  set_drift(report.model, fit_job.sources);
  leave_out_extremes(fit_job, report.model);
  report.fit = fit(*report.model.detector, fit_job, monitor);
  set_rule_on_cubes(report.model, fit_job, monitor);
  refuse_changed(job, stamps);

  // The model's own, whose drop_bands also hold what was left out as empty or noise.
  auto config = report.model.config;
  write_file(files.metrics, history_csv(report.fit.history));
  write_file(files.config, model::schema_of(config).to_yaml());
  model::save_model(files.model, report.model);
  std::filesystem::remove(files.checkpoint);
  return report;
}

}  // namespace hyperdefect::engine
