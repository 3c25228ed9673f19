// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/fit.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/device.h"
#include "hyperdefect/engine/noise_bands.h"
#include "hyperdefect/engine/patch_sampler.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/side_by_side.h"
#include "hyperdefect/model/band_picker.h"
#include "hyperdefect/model/detectors.h"
#include "hyperdefect/model/model_file.h"
#include "hyperdefect/spectral/image_part.h"

namespace hyperdefect::engine {
namespace {

/// Calibration and thresholds look at this many pixels at most: enough for a quantile of 1e-4.
constexpr std::int64_t kCalibrationPixels = 4'000'000;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void stop_if_asked(const Observer& observer, const std::string& what) {
  if (observer.stop_requested()) {
    throw Interrupted(text::cat("stopped ", what));
  }
}

at::Generator generator_for(std::uint64_t seed, const std::string& label) {
  return at::detail::createCPUGenerator(derive_seed(seed, label));
}

/// A window of one of the sources.
struct Piece {
  std::size_t source;
  PlannedWindow window;
};

/// All windows of all sources; every n-th where they hold more than max_pixels.
std::vector<Piece> pieces_of(const model::Detector& detector, const FitJob& job, std::int64_t max_pixels) {
  std::vector<Piece> all;
  std::int64_t pixels = 0;
  for (std::size_t i = 0; i < job.sources.size(); ++i) {
    for (const auto& window : plan_for(detector, *job.sources[i], job.ram_mb)) {
      all.push_back({i, window});
      pixels += window.keep.pixels();
    }
  }
  const auto step = std::max<std::int64_t>(1, (pixels + max_pixels - 1) / max_pixels);
  std::vector<Piece> chosen;
  for (std::size_t i = 0; i < all.size(); i += static_cast<std::size_t>(step)) {
    chosen.push_back(all[i]);
  }
  return chosen;
}

/// Reads the pieces one after the other, the detector bound to the right cube, and hands each to `use`.
template <class Use>
void for_each_piece(model::Detector& detector, const FitJob& job, const std::vector<Piece>& pieces,
                    const std::string& task, Observer& observer, const Use& use) {
  observer.progress({task, 0, static_cast<std::int64_t>(pieces.size()), {}});
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    stop_if_asked(observer, text::cat("in the ", task, " pass"));
    auto& source = *job.sources[pieces[i].source];
    detector.bind(source.bands());
    use(pieces[i].window, source);
    observer.progress({task, static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(pieces.size()), {}});
  }
}

/// Statistics that overflowed would make a model that scores nothing, and accepts it.
void check_finite(const model::Detector& detector) {
  const auto fault = model::value_faults(model::state_of(detector));
  if (!fault.empty()) {
    throw InputError(text::cat("training failed: ", fault, "; look for extreme values in the cubes"));
  }
}

void gather_statistics(model::Detector& detector, const FitJob& job, Observer& observer) {
  const torch::NoGradGuard no_gradient;
  const auto pieces = pieces_of(detector, job, std::numeric_limits<std::int64_t>::max() / 2);
  do {
    for_each_piece(detector, job, pieces, "statistics", observer,
                   [&](const PlannedWindow& window, model::BlockSource& source) {
                     detector.observe(source.read(window.keep));
                   });
  } while (detector.finish());
  if (job.extremes) {
    job.extremes->warn();
  }
  check_finite(detector);
}

void calibrate(model::Detector& detector, const FitJob& job, Observer& observer) {
  const torch::NoGradGuard no_gradient;
  detector.eval();
  for_each_piece(detector, job, pieces_of(detector, job, kCalibrationPixels), "calibration", observer,
                 [&](const PlannedWindow& window, model::BlockSource& source) {
                   detector.calibrate(source.read(window.read));
                 });
  detector.finish_calibration();
}

/// Gradient training with its schedule, record, checkpoint and early stop.
class Training {
 public:
  Training(model::Detector& detector, const FitJob& job, Observer& observer)
      : detector_(detector),
        job_(job),
        observer_(observer),
        sampler_(detector, job.sources, job.train, job.ram_mb),
        held_out_(job.train.holdout_fraction > 0 ? sampler_.held_out() : std::vector<model::Batch>()),
        optimizer_(trained_parameters(detector),
                   torch::optim::AdamWOptions(job.train.learning_rate).weight_decay(job.train.weight_decay)),
        side_by_side_(optimizer_.param_groups().front().params().front().device()) {
    state_.job = job.job;
  }

  void restore(TrainingState state) {
    state_ = std::move(state);
    load_optimizer_state(optimizer_, detector_, state_.optimizer);
    find_best();
  }

  FitReport run() {
    while (next_epoch() <= job_.train.epochs && !out_of_patience()) {
      train_epoch(next_epoch());
    }
    if (!state_.best.empty()) {
      model::load_state(detector_, state_.best, "the best epoch");
    }
    return {state_.history, state_.best.empty() ? next_epoch() - 1 : best_epoch_};
  }

 private:
  static std::vector<torch::Tensor> trained_parameters(const model::Detector& detector) {
    std::vector<torch::Tensor> trained;
    for (const auto& parameter : detector.parameters()) {
      if (parameter.requires_grad()) {
        trained.push_back(parameter);
      }
    }
    return trained;
  }

  std::int64_t next_epoch() const { return static_cast<std::int64_t>(state_.history.size()) + 1; }

  bool out_of_patience() const {
    return job_.train.patience > 0 && !held_out_.empty() && best_epoch_ > 0 &&
           next_epoch() - 1 - best_epoch_ >= job_.train.patience;
  }

  /// Linear warm-up, then a cosine from the full rate down to final_rate of it.
  double learning_rate(std::int64_t step) const {
    const auto& train = job_.train;
    const double total = static_cast<double>(train.epochs * train.steps_per_epoch);
    const double warmup = std::min(static_cast<double>(train.warmup_steps), total);
    const double rise = warmup > 0 ? std::min(1.0, static_cast<double>(step + 1) / warmup) : 1.0;
    const double part = std::max(0.0, static_cast<double>(step) - warmup) / std::max(1.0, total - warmup);
    const double fall =
        train.final_rate + (1 - train.final_rate) * 0.5 * (1 + std::cos(std::numbers::pi * part));
    return train.learning_rate * rise * fall;
  }

  void train_epoch(std::int64_t epoch) {
    const auto start = Clock::now();
    auto generator = generator_for(job_.seed, text::cat("epoch ", epoch));
    double sum = 0.0;
    double rate = 0.0;
    detector_.train();
    detector_.begin_epoch();
    for (std::int64_t i = 0; i < job_.train.steps_per_epoch; ++i) {
      stop_if_asked(observer_, text::cat("in epoch ", epoch, " of ", job_.train.epochs));
      rate = learning_rate((epoch - 1) * job_.train.steps_per_epoch + i);
      sum += step(rate, generator);
      observer_.progress({"train", (epoch - 1) * job_.train.steps_per_epoch + i + 1,
                          job_.train.epochs * job_.train.steps_per_epoch, sum / static_cast<double>(i + 1)});
    }
    record({epoch, epoch * job_.train.steps_per_epoch, rate,
            sum / static_cast<double>(job_.train.steps_per_epoch), held_out_loss(), seconds_since(start)});
  }

  double step(double rate, at::Generator& generator) {
    for (auto& group : optimizer_.param_groups()) {
      group.options().set_lr(rate);
    }
    optimizer_.zero_grad();
    const double value = finite_loss(loss_of(sampler_.draw(generator), generator), "the loss");
    if (job_.train.gradient_clip > 0) {
      torch::nn::utils::clip_grad_norm_(detector_.parameters(), job_.train.gradient_clip);
    }
    optimizer_.step();
    return value;
  }

  static double finite_loss(double value, const char* what) {
    if (!std::isfinite(value)) {
      throw InputError(
          text::cat("training failed: ", what, " is ", value,
                    "; lower train.learning_rate or set train.gradient_clip, and look for extreme values in "
                    "the cubes"));
    }
    return value;
  }

  /// In training the gradients are added to those of the parameters.
  double loss_of(const model::Batch& batch, at::Generator& generator) {
    side_by_side_.run(detector_.preparations(batch, generator));
    const auto losses = detector_.losses(batch, generator);
    std::vector<double> values(losses.size());
    std::vector<std::function<void()>> tasks;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      tasks.emplace_back([&, i] {
        const auto loss = losses[i]();
        if (torch::GradMode::is_enabled()) {
          loss.backward();
        }
        values[i] = loss.item<double>();
      });
    }
    side_by_side_.run(tasks);
    return std::accumulate(values.begin(), values.end(), 0.0);
  }

  /// The loss on the held-out part, spoiled in the same way each time, so that epochs compare.
  std::optional<double> held_out_loss() {
    if (held_out_.empty()) {
      return std::nullopt;
    }
    const torch::NoGradGuard no_gradient;
    detector_.eval();
    auto generator = generator_for(job_.seed, "held-out part");
    double sum = 0.0;
    for (const auto& batch : held_out_) {
      sum += loss_of(batch, generator);
    }
    return finite_loss(sum / static_cast<double>(held_out_.size()), "the loss on the held-out part");
  }

  void record(const EpochRecord& record) {
    state_.history.push_back(record);
    find_best();
    if (!held_out_.empty() && best_epoch_ == record.epoch) {
      state_.best = copy_of_state();
    }
    if (!job_.checkpoint.empty()) {
      state_.detector = model::state_of(detector_);
      state_.optimizer = optimizer_state(optimizer_, detector_);
      write_checkpoint(job_.checkpoint, state_);
    }
    log::debug(text::cat("epoch ", record.epoch, ": loss ", record.loss,
                         record.holdout_loss ? text::cat(", held out ", *record.holdout_loss) : ""));
  }

  std::map<std::string, torch::Tensor> copy_of_state() const {
    auto state = model::state_of(detector_);
    for (auto& [name, tensor] : state) {
      tensor = tensor.detach().clone();
    }
    return state;
  }

  void find_best() {
    double best = std::numeric_limits<double>::infinity();
    for (const auto& record : state_.history) {
      if (record.holdout_loss && *record.holdout_loss < best) {
        best = *record.holdout_loss;
        best_epoch_ = record.epoch;
      }
    }
  }

  model::Detector& detector_;
  const FitJob& job_;
  Observer& observer_;
  PatchSampler sampler_;
  std::vector<model::Batch> held_out_;
  torch::optim::AdamW optimizer_;
  SideBySide side_by_side_;
  TrainingState state_;
  std::int64_t best_epoch_ = 0;
};

std::optional<TrainingState> earlier_state(const FitJob& job, const model::Detector& detector) {
  if (!job.resume || job.checkpoint.empty() || !std::filesystem::exists(job.checkpoint)) {
    return std::nullopt;
  }
  auto state = read_checkpoint(job.checkpoint, job.job);
  check_state_fits(state, detector, job.train, job.checkpoint);
  return state;
}

/// Of a valid pixel; one that is not finite would be missing from the threshold without a word.
torch::Tensor finite_scores(const model::ScoreMaps& maps, const Window& part, const std::string& cube) {
  const auto scores = spectral::part_of(maps.score, part).masked_select(spectral::part_of(maps.valid, part));
  const auto bad = scores.isfinite().logical_not().sum().item<std::int64_t>();
  if (bad > 0) {
    throw InputError(text::cat("training failed: the scores of ", text::counted(bad, "valid pixel"), " of ",
                               cube, " are not finite; look for extreme values in the cubes"));
  }
  return scores;
}

}  // namespace

FitReport fit(model::Detector& detector, const FitJob& job, Observer& observer) {
  FitReport report;
  auto earlier = earlier_state(job, detector);
  if (earlier) {
    model::load_state(detector, earlier->detector, job.checkpoint.string());
  } else {
    gather_statistics(detector, job, observer);
  }
  if (detector.trainable()) {
    Training training(detector, job, observer);
    if (earlier) {
      training.restore(std::move(*earlier));
    }
    report = training.run();
  }
  calibrate(detector, job, observer);
  check_finite(detector);
  return report;
}

void leave_out_extremes(FitJob& job, const FittedModel& model) {
  job.extremes = ExtremePixels::leave_out(job.sources, model.detector->bands(), model.config.preprocess);
}

void make_detector(FittedModel& model, const std::vector<std::shared_ptr<model::BlockSource>>& sources) {
  // Whatever use_bad_band_list says, and for every other cube too.
  const auto empty = sources.front()->empty_bands();
  auto& dropped = model.config.preprocess.drop_bands;
  dropped.insert(dropped.end(), empty.begin(), empty.end());
  model.config.preprocess = without_noise_bands(model.config.preprocess, sources);
  model.detector = model::make_detector(
      detector_options(model.config), model::bands_in_use(sources.front()->bands(), model.config.preprocess));
  model.detector->to(device_named(model.config.run.device));
}

FittedModel fit_scene(model::BlockSource& source, const RunConfig& config, std::uint64_t seed,
                      Observer& observer) {
  FittedModel fitted;
  fitted.config = config;
  fitted.training_cubes = 1;
  torch::manual_seed(seed);
  FitJob job;
  job.sources = {std::shared_ptr<model::BlockSource>(std::shared_ptr<void>(), &source)};
  observer.progress({"measure the noise of the bands", 0, 0, {}});
  make_detector(fitted, job.sources);
  leave_out_extremes(job, fitted);
  job.train = config.train;
  job.ram_mb = config.run.ram_mb;
  job.seed = seed;
  fit(*fitted.detector, job, observer);
  return fitted;
}

torch::Tensor training_scores(model::Detector& detector, const FitJob& job, double held_out_fraction,
                              Observer& observer) {
  const torch::NoGradGuard no_gradient;
  detector.eval();
  std::vector<torch::Tensor> scores;
  for_each_piece(detector, job, pieces_of(detector, job, kCalibrationPixels), "scores", observer,
                 [&](const PlannedWindow& window, model::BlockSource& source) {
                   const auto maps = detector.score(source.read(window.read));
                   const auto rows = source.size().rows;
                   const auto held = static_cast<std::int64_t>(static_cast<double>(rows) * held_out_fraction);
                   const auto first = held > 0 ? std::max(window.keep.row, rows - held) : window.keep.row;
                   if (first < window.keep.end_row()) {
                     const Window part{first - window.read.row, window.keep.col - window.read.col,
                                       window.keep.end_row() - first, window.keep.cols};
                     scores.push_back(finite_scores(maps, part, source.name()));
                   }
                 });
  return scores.empty() ? torch::empty({0}) : torch::cat(scores);
}

}  // namespace hyperdefect::engine
