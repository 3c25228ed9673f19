// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/fit.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/utils.h>

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
#include "hyperdefect/engine/patch_sampler.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/engine/training_blocks.h"
#include "hyperdefect/model/model_file.h"
#include "hyperdefect/nn/adamw.h"
#include "hyperdefect/platform/device.h"
#include "hyperdefect/platform/task_pool.h"
#include "hyperdefect/preprocess/band_picker.h"
#include "hyperdefect/preprocess/noise_bands.h"

namespace hyperdefect::engine {
namespace {

/// Calibration and thresholds look at this many pixels at most: enough for a quantile of 1e-4.
constexpr std::int64_t kCalibrationPixels = 4'000'000;
/// Side of the tiles of passes that see more than a pixel: larger than the patches that networks learn from,
/// and not so large that memory decides.
constexpr std::int64_t kTilePx = 160;
/// A pass with a wide view looks at this many pixels at most; it keeps a sample of 65,536.
constexpr std::int64_t kWidePixels = 250'000;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void stop_if_asked(const ProgressMonitor& monitor, const std::string& what) {
  if (monitor.stop_requested()) {
    throw Interrupted(text::concat("stopped ", what));
  }
}

at::Generator generator_for(std::uint64_t seed, const std::string& label) {
  return at::detail::createCPUGenerator(derive_seed(seed, label));
}

/// Statistics that overflowed would make a model that scores nothing, and accepts it.
void check_finite(const detector::Pipeline& detector) {
  const auto fault = model::value_faults(model::state_of(detector));
  if (!fault.empty()) {
    throw InputError(text::concat("training failed: ", fault, "; look for extreme values in the cubes"));
  }
}

/// A pass with a wide view would read strips of rows many times.
constexpr std::int64_t kWideReachPx = 8;

void gather_statistics(detector::Pipeline& detector, const FitJob& job, ProgressMonitor& monitor) {
  const torch::NoGradGuard no_gradient;
  const auto every_pixel = std::numeric_limits<std::int64_t>::max() / 2;
  const auto all = TrainingBlocks::fixed(detector, job.sources, {0, 0, every_pixel});
  const auto reach = detector.statistics_reach_px();
  const bool is_wide = reach > kWideReachPx;
  const auto seen = TrainingBlocks::fixed(
      detector, job.sources, {is_wide ? kTilePx : 0, reach, is_wide ? kWidePixels : every_pixel});
  do {
    (detector.knows_preprocessing() ? seen : all)
        .for_each("statistics", monitor,
                  [&](const TrainingBlock& block) { detector.accumulate(block.pixels); });
  } while (detector.finalise());
  if (job.extremes) {
    job.extremes->warn();
  }
  check_finite(detector);
}

void adapt(detector::Pipeline& detector, const FitJob& job, ProgressMonitor& monitor) {
  if (!detector.adapts()) {
    return;
  }
  const torch::NoGradGuard no_gradient;
  detector.eval();
  TrainingBlocks::fixed(detector, job.sources, {kTilePx, 0, kCalibrationPixels})
      .for_each("adaptation", monitor, [&](const TrainingBlock& tile) { detector.adapt(tile.pixels); });
}

TrainingBlocks blocks_to_score(const detector::Pipeline& detector, const FitJob& job) {
  return {detector, job.sources, job.ram_mb, detector.receptive_field(), kCalibrationPixels};
}

/// @return what was measured, if one block holds all of the training data and each pixel counts.
std::optional<MeasuredScene> calibrate(detector::Pipeline& detector, const FitJob& job,
                                       ProgressMonitor& monitor) {
  const torch::NoGradGuard no_gradient;
  detector.eval();
  const auto blocks = blocks_to_score(detector, job);
  const bool keeps = blocks.is_one_block() && job.sources.size() == 1 && job.keep_measured &&
                     !(job.extremes && job.extremes->left_out() > 0);
  std::optional<MeasuredScene> kept;
  blocks.for_each("calibration", monitor, [&](const TrainingBlock& block) {
    auto measured = detector.calibrate(block.pixels);
    if (keeps && block.tile.read == whole(job.sources.front()->size())) {
      kept.emplace(MeasuredScene{block.pixels, std::move(measured)});
    }
  });
  detector.finish_calibration();
  return kept;
}

/// Gradient training with its schedule, record, checkpoint and early stop.
class Training {
 public:
  Training(detector::Pipeline& detector, const FitJob& job, ProgressMonitor& monitor)
      : detector_(detector),
        job_(job),
        monitor_(monitor),
        sampler_(detector, job.sources, job.train, job.ram_mb),
        held_out_(job.train.holdout_fraction > 0 ? sampler_.held_out() : std::vector<detector::Batch>()),
        optimizer_(trained_parameters(detector),
                   torch::optim::AdamWOptions(job.train.learning_rate).weight_decay(job.train.weight_decay)),
        task_pool_(optimizer_.param_groups().front().params().front().device()) {
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
  static std::vector<torch::Tensor> trained_parameters(const detector::Pipeline& detector) {
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
    auto generator = generator_for(job_.seed, text::concat("epoch ", epoch));
    double sum = 0.0;
    double rate = 0.0;
    detector_.train();
    detector_.trainable()->begin_epoch();
    for (std::int64_t i = 0; i < job_.train.steps_per_epoch; ++i) {
      stop_if_asked(monitor_, text::concat("in epoch ", epoch, " of ", job_.train.epochs));
      rate = learning_rate((epoch - 1) * job_.train.steps_per_epoch + i);
      sum += step(rate, generator);
      monitor_.progress({"train", (epoch - 1) * job_.train.steps_per_epoch + i + 1,
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
      throw InputError(text::concat(
          "training failed: ", what, " is ", value,
          "; lower train.learning_rate or set train.gradient_clip, and look for extreme values in "
          "the cubes"));
    }
    return value;
  }

  /// In training the gradients are added to those of the parameters.
  double loss_of(const detector::Batch& batch, at::Generator& generator) {
    const auto losses = detector_.trainable()->losses(batch, generator);
    std::vector<double> values(losses.size());
    std::vector<std::function<void()>> tasks;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      tasks.emplace_back([&, i] {
        const auto loss = losses[i]();
        if (!loss.defined()) {
          return;
        }
        if (torch::GradMode::is_enabled()) {
          loss.backward();
        }
        values[i] = loss.item<double>();
      });
    }
    task_pool_.run(tasks);
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
    log::debug(text::concat("epoch ", record.epoch, ": loss ", record.loss,
                            record.holdout_loss ? text::concat(", held out ", *record.holdout_loss) : ""));
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

  detector::Pipeline& detector_;
  const FitJob& job_;
  ProgressMonitor& monitor_;
  PatchSampler sampler_;
  std::vector<detector::Batch> held_out_;
  nn::AdamW optimizer_;
  platform::TaskPool task_pool_;
  TrainingState state_;
  std::int64_t best_epoch_ = 0;
};

std::optional<TrainingState> earlier_state(const FitJob& job, const detector::Pipeline& detector) {
  if (!job.resume || job.checkpoint.empty() || !std::filesystem::exists(job.checkpoint)) {
    return std::nullopt;
  }
  auto state = read_checkpoint(job.checkpoint, job.job);
  check_state_fits(state, detector, job.train, job.checkpoint);
  return state;
}

}  // namespace

FitReport fit(detector::Pipeline& detector, const FitJob& job, ProgressMonitor& monitor) {
  FitReport report;
  auto earlier = earlier_state(job, detector);
  if (earlier) {
    model::load_state(detector, earlier->detector, job.checkpoint.string());
  } else {
    gather_statistics(detector, job, monitor);
    if (auto* trainable = detector.trainable()) {
      auto generator = generator_for(job.seed, "weights");
      trainable->initialise(generator);
    }
  }
  if (detector.trainable() != nullptr) {
    Training training(detector, job, monitor);
    if (earlier) {
      training.restore(std::move(*earlier));
    }
    report = training.run();
  }
  adapt(detector, job, monitor);
  report.measured = calibrate(detector, job, monitor);
  check_finite(detector);
  return report;
}

void leave_out_extremes(FitJob& job, const model::FittedModel& model) {
  job.extremes = preprocess::ExtremePixels::leave_out(job.sources, model.detector->bands(),
                                                      model.config.detector.preprocess);
}

void make_detector(model::FittedModel& model,
                   const std::vector<std::shared_ptr<preprocess::BlockSource>>& sources) {
  auto& options = model.config.detector;
  model.trained_on_reflectance = sources.front()->is_reflectance();
  // Whatever use_bad_band_list says, and for every other cube too.
  const auto empty = sources.front()->empty_bands();
  auto& dropped = options.preprocess.drop_bands;
  dropped.insert(dropped.end(), empty.begin(), empty.end());
  options.preprocess = preprocess::without_noise_bands(options.preprocess, sources);
  model.detector = std::make_shared<detector::Pipeline>(
      options, preprocess::bands_in_use(sources.front()->bands(), options.preprocess));
  model.detector->to(platform::device_of(model.config.run.device));
}

FittedScene fit_scene(preprocess::BlockSource& source, const model::RunConfig& config, std::uint64_t seed,
                      ProgressMonitor& monitor) {
  FittedScene scene;
  auto& fitted = scene.model;
  fitted.config = config;
  fitted.training_cubes = 1;
  FitJob job;
  job.sources = {not_owned(source)};
  monitor.progress({"measure the noise of the bands", 0, 0, {}});
  make_detector(fitted, job.sources);
  leave_out_extremes(job, fitted);
  job.train = config.train;
  job.ram_mb = config.run.ram_mb;
  job.seed = seed;
  job.keep_measured = true;
  scene.measured = fit(*fitted.detector, job, monitor).measured;
  return scene;
}

detector::ScoreMaps maps_of(const FittedScene& scene, preprocess::BlockSource& source,
                            ProgressMonitor& monitor) {
  if (!scene.measured) {
    return predict(*scene.model.detector, source, scene.model.config.run.ram_mb, monitor);
  }
  const c10::InferenceMode inference;
  return scene.model.detector->score(scene.measured->pixels, scene.measured->measurement);
}

}  // namespace hyperdefect::engine
