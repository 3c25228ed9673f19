// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/fit.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <future>
#include <limits>
#include <nlohmann/json.hpp>

#include "hyperdefect/core/error.h"
#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/detector/ensemble/ensemble_detector.h"
#include "hyperdefect/detector/segmenter/segmenter_options.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/fits.h"
#include "support/memory_blocks.h"
#include "support/temp_dir.h"

namespace hyperdefect::engine {
namespace {

using detector::AutoencoderOptions;
using detector::EnsembleOptions;
using detector::SegmenterOptions;
using Tensors = std::map<std::string, torch::Tensor>;

void expect_equal(const Tensors& got, const Tensors& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    EXPECT_TRUE(torch::equal(got.at(name), tensor)) << name;
  }
}

/// Seconds apart, which no two runs share.
std::string table_of(FitReport report) {
  for (auto& record : report.history) {
    record.seconds = 0;
  }
  return history_csv(report.history);
}

class Fit : public ::testing::Test {
 protected:
  Fit() {
    config_.train.holdout_fraction = 0.25;
    config_.train.augment = true;
    config_.detector.of<AutoencoderOptions>().network.norm = nn::Norm::batch;
  }

  FitJob job() const {
    FitJob job;
    job.sources = {test::smooth_cube(6, {32, 24}, 1), test::smooth_cube(6, {20, 28}, 2)};
    job.train = config_.train;
    job.seed = 5;
    job.checkpoint = folder_ / "c.safetensors";
    job.job = "a job";
    return job;
  }

  /// Stops after each step, goes on and compares with a run that was not stopped.
  void expect_going_on_changes_nothing() {
    auto undisturbed_job = job();
    undisturbed_job.checkpoint.clear();
    const auto undisturbed = test::pipeline_of(config_, 6);
    const auto wanted = fit(*undisturbed, undisturbed_job, monitor_);
    ASSERT_EQ(wanted.history.size(), 4U);
    for (std::int64_t steps = 1; steps <= 8; ++steps) {
      std::filesystem::remove(job().checkpoint);
      test::StopAfter stop("train", steps);
      const auto stopped = test::pipeline_of(config_, 6);
      EXPECT_THROW(fit(*stopped, job(), stop), Interrupted) << steps;
      auto rest = job();
      rest.resume = true;
      const auto resumed = test::pipeline_of(config_, 6);
      const auto report = fit(*resumed, rest, monitor_);
      EXPECT_EQ(table_of(report), table_of(wanted)) << steps;
      EXPECT_EQ(report.kept_epoch, wanted.kept_epoch);
      expect_equal(model::state_of(*resumed), model::state_of(*undisturbed));
    }
  }

  model::RunConfig config_ = test::tiny_config();
  test::TempDir folder_;
  ProgressMonitor monitor_;
};

TEST_F(Fit, GoesOnFromEveryEpochAsIfNothingHadHappened) {
  expect_going_on_changes_nothing();
}

TEST_F(Fit, GoesOnWhereNetworksLearnSideBySide) {
  config_.detector.name = "ensemble";
  config_.detector.of<EnsembleOptions>().members = {"autoencoder", "segmenter"};
  config_.detector.of<SegmenterOptions>().networks = 2;
  config_.detector.of<SegmenterOptions>().step_fraction = 0.5;
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  expect_going_on_changes_nothing();
  EXPECT_EQ(at::get_num_threads(), 2);
  at::set_num_threads(threads);
}

TEST_F(Fit, SaysWhereItStopped) {
  test::StopAfter in_training("train", 3);
  HYPERDEFECT_EXPECT_ERROR(fit(*test::pipeline_of(config_, 6), job(), in_training), Interrupted,
                           "stopped in epoch 2 of 4");
  test::StopAfter at_once("statistics", 0);
  HYPERDEFECT_EXPECT_ERROR(fit(*test::pipeline_of(config_, 6), job(), at_once), Interrupted,
                           "stopped in the statistics pass");
}

TEST_F(Fit, WritesACheckpointAfterEachEpoch) {
  test::StopAfter stop("train", 5);
  EXPECT_THROW(fit(*test::pipeline_of(config_, 6), job(), stop), Interrupted);
  const auto state = read_checkpoint(job().checkpoint, "a job");
  ASSERT_EQ(state.history.size(), 2U);
  EXPECT_EQ(state.history[1].steps, 4);
  EXPECT_TRUE(state.history[1].holdout_loss.has_value());
}

TEST_F(Fit, RefusesTheCheckpointOfAnotherJob) {
  test::StopAfter stop("train", 3);
  EXPECT_THROW(fit(*test::pipeline_of(config_, 6), job(), stop), Interrupted);
  auto other = job();
  other.resume = true;
  other.job = "another job";
  HYPERDEFECT_EXPECT_ERROR(fit(*test::pipeline_of(config_, 6), other, monitor_), UsageError,
                           "the checkpoint belongs to another training");
}

TEST_F(Fit, RefusesADamagedCheckpoint) {
  auto rest = job();
  rest.resume = true;
  test::write_bytes(rest.checkpoint, "half a check");
  HYPERDEFECT_EXPECT_ERROR(fit(*test::pipeline_of(config_, 6), rest, monitor_), ModelError,
                           "not a whole safetensors file");
}

/// One way to damage a checkpoint, and what is said of it.
struct Damage {
  std::string message;
  std::function<void(model::TensorFile&)> change;
};

/// The name of one of Adam's tensors.
std::string optimizer_name(const model::TensorFile& file, const std::string& ending) {
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with("optimizer.") && name.ends_with(ending)) {
      return name;
    }
  }
  return {};
}

Damage erased(const std::string& ending) {
  return {ending + " is missing",
          [ending](model::TensorFile& file) { file.tensors.erase(optimizer_name(file, ending)); }};
}

Damage replaced(const std::string& ending, const std::string& message,
                const std::function<torch::Tensor(const torch::Tensor&)>& by) {
  return {message, [=](model::TensorFile& file) {
            auto& tensor = file.tensors.at(optimizer_name(file, ending));
            tensor = by(tensor);
          }};
}

/// A history of one epoch whose record has this key changed.
Damage record(const std::string& key, const nlohmann::json& value, const std::string& message) {
  return {message, [=](model::TensorFile& file) {
            auto history = nlohmann::json::parse(file.metadata.at("history"));
            history[0][key] = value;
            file.metadata["history"] = history.dump();
          }};
}

Damage group(const std::string& prefix, const std::string& message,
             const std::function<void(torch::Tensor&)>& change) {
  return {message, [=](model::TensorFile& file) { change(file.tensors.lower_bound(prefix)->second); }};
}

std::vector<Damage> damages_of_checkpoints() {
  const auto scalar = [](std::int64_t value) {
    return [value](const torch::Tensor&) { return torch::tensor(value, torch::kLong); };
  };
  const auto filled = [](double value) {
    return [value](const torch::Tensor& tensor) { return torch::full_like(tensor, value); };
  };
  const auto to_nan = [](torch::Tensor& tensor) { tensor = torch::full_like(tensor, std::nan("")); };
  const auto longer = [](torch::Tensor& tensor) { tensor = torch::cat({tensor, tensor}); };
  const std::string counts = " in an epoch of its history is not a whole number from 1 to ";
  const std::string finite = " in an epoch of its history is not a finite number";
  return {
      erased(".exp_avg"),
      erased(".exp_avg_sq"),
      erased(".step"),
      replaced(".exp_avg", " instead of (", [](const torch::Tensor& t) { return t.unsqueeze(0); }),
      replaced(".exp_avg", " Double instead of (",
               [](const torch::Tensor& t) { return t.to(torch::kDouble); }),
      replaced(".exp_avg", ".exp_avg holds values that are not finite", filled(std::nan(""))),
      replaced(".exp_avg_sq", ".exp_avg_sq holds values that are not finite", filled(HUGE_VAL)),
      replaced(".exp_avg_sq", ".exp_avg_sq holds a square below 0", filled(-1)),
      replaced(".step", ".step is a count and below 0", scalar(-7)),
      replaced(".step", ".step is more than the 2 steps of the training", scalar(1'000'000)),
      replaced(".step", ".step is (3) Long instead of () Long",
               [](const torch::Tensor& t) { return t.expand({3}).clone(); }),
      replaced(".step", ".step is () Float instead of () Long",
               [](const torch::Tensor& t) { return t.to(torch::kFloat); }),
      {"optimizer: wings.exp_avg is unknown",
       [](model::TensorFile& file) { file.tensors["optimizer.wings.exp_avg"] = torch::zeros({2}); }},
      {"it holds tensors that are not part of a training",
       [](model::TensorFile& file) { file.tensors["wings"] = torch::zeros({2}); }},
      group("best.", "best epoch: ", to_nan),
      group("best.", "best epoch: ", longer),
      group("detector.", "detector: ", to_nan),
      group("detector.", "detector: ", longer),
      {"best epoch: ",
       [](model::TensorFile& file) {
         std::erase_if(file.tensors, [](const auto& item) { return item.first.starts_with("best."); });
       }},
      record("epoch", 2, "not numbered from 1 on"),
      record("epoch", -1, "epoch" + counts),
      record("epoch", 1.5, "epoch" + counts),
      record("epoch", "1", "epoch" + counts),
      record("steps", 3, "do not match train.steps_per_epoch, 2"),
      record("steps", nullptr, "steps" + counts),
      record("loss", nullptr, "loss" + finite),
      record("loss", "nan", "loss" + finite),
      record("holdout_loss", nullptr, "holdout_loss" + finite),
      record("learning_rate", -0.1, "learning_rate in an epoch of its history is not a number from 0 to 1"),
      record("learning_rate", nullptr,
             "learning_rate in an epoch of its history is not a number from 0 to 1"),
      record("seconds", -1, "seconds in an epoch of its history is not a finite number of at least 0"),
      {"its history has 9 epochs, train.epochs is 4",
       [](model::TensorFile& file) {
         auto history = nlohmann::json::parse(file.metadata.at("history"));
         for (int epoch = 2; epoch <= 9; ++epoch) {
           history.push_back(history[0]);
           history.back()["epoch"] = epoch;
           history.back()["steps"] = 2 * epoch;
         }
         file.metadata["history"] = history.dump();
       }},
      {"only some epochs of its history have a held-out loss",
       [](model::TensorFile& file) {
         auto history = nlohmann::json::parse(file.metadata.at("history"));
         history.push_back(history[0]);
         history[1]["epoch"] = 2;
         history[1].erase("holdout_loss");
         file.metadata["history"] = history.dump();
       }},
      {"it has a best epoch, but no held-out loss",
       [](model::TensorFile& file) {
         auto history = nlohmann::json::parse(file.metadata.at("history"));
         history[0].erase("holdout_loss");
         file.metadata["history"] = history.dump();
       }},
  };
}

TEST_F(Fit, RefusesCheckpointsThatNoTrainingWrites) {
  test::StopAfter stop("train", 3);
  EXPECT_THROW(fit(*test::pipeline_of(config_, 6), job(), stop), Interrupted);
  const auto path = job().checkpoint;
  const auto sound = model::read_tensors(path);
  auto rest = job();
  rest.resume = true;
  for (const auto& damage : damages_of_checkpoints()) {
    auto file = sound;
    damage.change(file);
    model::add_checksum(file);
    model::write_tensors(path, file);
    const auto message =
        test::message_of<ModelError>([&] { fit(*test::pipeline_of(config_, 6), rest, monitor_); });
    EXPECT_TRUE(message.starts_with(path.string() + ": is a damaged training checkpoint (")) << message;
    EXPECT_NE(message.find(damage.message), std::string::npos) << message << "\nwanted: " << damage.message;
    EXPECT_TRUE(message.ends_with("); remove it, or start again with --overwrite")) << message;
  }
  model::write_tensors(path, sound);
  EXPECT_EQ(fit(*test::pipeline_of(config_, 6), rest, monitor_).history.size(), 4U);
}

TEST_F(Fit, IgnoresACheckpointThatItWasNotAskedToTake) {
  test::write_bytes(job().checkpoint, "half a check");
  EXPECT_EQ(fit(*test::pipeline_of(config_, 6), job(), monitor_).history.size(), 4U);
}

TEST_F(Fit, DependsOnTheSeed) {
  const auto loss = [&](std::uint64_t seed) {
    auto seeded_job = job();
    seeded_job.seed = seed;
    return fit(*test::pipeline_of(config_, 6), seeded_job, monitor_).history.back().loss;
  };
  EXPECT_EQ(loss(5), loss(5));
  EXPECT_NE(loss(5), loss(6));
}

TEST_F(Fit, NeedsNoGradientForRx) {
  config_.detector.name = "rx";
  const auto detector = test::pipeline_of(config_, 6);
  const auto report = fit(*detector, job(), monitor_);
  EXPECT_TRUE(report.history.empty());
  EXPECT_EQ(report.kept_epoch, 0);
  EXPECT_FALSE(std::filesystem::exists(job().checkpoint));
}

TEST_F(Fit, SaysThatThereIsTooLittleToLearnFrom) {
  auto empty = job();
  empty.sources = {test::memory_blocks(torch::zeros({6, 8, 8}), torch::zeros({8, 8}, torch::kBool))};
  HYPERDEFECT_EXPECT_ERROR(fit(*test::pipeline_of(config_, 6), empty, monitor_), InputError,
                           "too few valid pixels to learn from: 0");
}

/// What a training does with the losses on its held-out part, of one step an epoch.
class Schedule : public ::testing::Test {
 protected:
  Schedule() {
    config_.train.epochs = 10;
    config_.train.steps_per_epoch = 1;
    config_.train.patch_px = 8;
    config_.train.holdout_fraction = 0.2;
    config_.train.warmup_steps = 0;
    config_.train.learning_rate = 0.1;
  }

  FitJob job() const {
    FitJob job;
    job.sources = {test::smooth_cube(6, {20, 20}, 1)};
    job.train = config_.train;
    job.checkpoint = folder_ / "c.safetensors";
    return job;
  }

  /// Leaves the checkpoint of a training that was stopped after as many epochs as there are losses. In it
  /// these are the losses on the held-out part, far below those of any epoch that follows, and the weights of
  /// the best epoch are marked.
  void script(const std::vector<double>& losses) const {
    test::StopAfter stop("train", static_cast<std::int64_t>(losses.size()));
    auto begun = job();
    begun.train.patience = 0;
    EXPECT_THROW(fit(*test::pipeline_of(config_, 6), begun, stop), Interrupted);
    auto state = read_checkpoint(job().checkpoint, "");
    ASSERT_EQ(state.history.size(), losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      state.history[i].holdout_loss = 1e-9 * losses[i];
    }
    state.best.at(kMarked).fill_(kMark);
    write_checkpoint(job().checkpoint, state);
  }

  /// Goes on from the checkpoint.
  FitReport resumed() {
    auto rest = job();
    rest.resume = true;
    return fit(*pipeline_, rest, monitor_);
  }

  bool keeps_the_marked_weights() const {
    return model::state_of(*pipeline_).at(kMarked).eq(kMark).all().item<bool>();
  }

  static constexpr const char* kMarked = "detector.network.head.bias";
  static constexpr double kMark = 0.125;

  model::RunConfig config_ = test::tiny_config();
  test::TempDir folder_;
  std::shared_ptr<detector::Pipeline> pipeline_ = test::pipeline_of(config_, 6);
  ProgressMonitor monitor_;
};

TEST_F(Schedule, PatienceKeepsTheBestEpoch) {
  config_.train.patience = 3;
  script({5, 4, 3, 3.5, 3});
  const auto report = resumed();
  EXPECT_EQ(report.history.size(), 6U) << "a loss that is as low as the best is no better one";
  EXPECT_EQ(report.kept_epoch, 3);
  EXPECT_DOUBLE_EQ(report.history[3].holdout_loss.value(), 3.5e-9);
  EXPECT_TRUE(keeps_the_marked_weights());
}

TEST_F(Schedule, PatienceBeginsAnewWithEachBetterEpoch) {
  config_.train.patience = 3;
  script({5, 4, 4.5, 3, 3.5, 2});
  const auto report = resumed();
  EXPECT_EQ(report.history.size(), 9U);
  EXPECT_EQ(report.kept_epoch, 6);
  EXPECT_TRUE(keeps_the_marked_weights());
}

TEST_F(Schedule, PatienceThatIsOverBeforeItGoesOnTrainsNothing) {
  config_.train.patience = 2;
  script({5, 3, 3.5, 4});
  EXPECT_EQ(resumed().history.size(), 4U);
  EXPECT_TRUE(keeps_the_marked_weights());
}

TEST_F(Schedule, WithoutPatienceTheBestEpochIsKeptAllTheSame) {
  script({5, 4, 3, 3.5, 3, 3.1});
  const auto report = resumed();
  EXPECT_EQ(report.history.size(), 10U);
  EXPECT_EQ(report.kept_epoch, 3);
  EXPECT_TRUE(keeps_the_marked_weights());
}

/// The same of losses that came about by training.
TEST_F(Schedule, KeptEpochHasTheLowestLossAndItsWeights) {
  const auto report = fit(*pipeline_, job(), monitor_);
  ASSERT_EQ(report.history.size(), 10U);
  std::size_t best = 0;
  for (std::size_t i = 1; i < report.history.size(); ++i) {
    best = *report.history[i].holdout_loss < *report.history[best].holdout_loss ? i : best;
  }
  EXPECT_EQ(report.kept_epoch, static_cast<std::int64_t>(best) + 1);
  std::filesystem::remove(job().checkpoint);
  test::StopAfter stop("train", report.kept_epoch);
  ASSERT_LT(report.kept_epoch, 10) << "so that a run can be stopped after this epoch";
  EXPECT_THROW(fit(*test::pipeline_of(config_, 6), job(), stop), Interrupted);
  const auto wanted = read_checkpoint(job().checkpoint, "").detector;
  for (const auto& parameter : pipeline_->named_parameters()) {
    EXPECT_TRUE(torch::equal(parameter.value(), wanted.at(parameter.key()))) << parameter.key();
  }
}

TEST_F(Schedule, WithoutAHeldOutPartTheLastEpochIsKept) {
  config_.train.holdout_fraction = 0;
  config_.train.patience = 1;
  const auto report = fit(*pipeline_, job(), monitor_);
  EXPECT_EQ(report.history.size(), 10U);
  EXPECT_EQ(report.kept_epoch, 10);
  EXPECT_FALSE(report.history[0].holdout_loss.has_value());
}

TEST_F(Schedule, RateRisesAndFallsAsACosine) {
  config_.train.holdout_fraction = 0;
  config_.train.warmup_steps = 2;
  config_.train.final_rate = 0.1;
  const auto history = fit(*pipeline_, job(), monitor_).history;
  EXPECT_NEAR(history[0].learning_rate, 0.05, 1e-12);
  EXPECT_NEAR(history[1].learning_rate, 0.1, 1e-12);
  // Steps 2 to 10 are a half cosine: in its middle, at step 6, half of what lies between the ends.
  EXPECT_NEAR(history[6].learning_rate, 0.055, 1e-12);
  EXPECT_LT(history[9].learning_rate, 0.02);
}

TEST_F(Schedule, LossThatIsNoNumberStopsTheTraining) {
  config_.train.holdout_fraction = 0;
  auto& learning = config_.detector.of<AutoencoderOptions>().learning;
  learning.corruption = detector::Corruption::synthetic_defect;
  learning.defect_weight = std::numeric_limits<double>::quiet_NaN();
  HYPERDEFECT_EXPECT_ERROR(
      fit(*test::pipeline_of(config_, 6), job(), monitor_), InputError,
      "training failed: the loss is nan; lower train.learning_rate or set train.gradient_clip, "
      "and look for extreme values in the cubes");
}

/// A scene with a defect of 2 x 2 pixels at row 20, column 9.
std::shared_ptr<test::MemoryBlocks> scene_with_defect(std::uint64_t seed) {
  auto values = test::smooth_scene(6, {32, 32}, seed);
  values.narrow(1, 20, 2).narrow(2, 9, 2).slice(0, 2, 5).add_(0.1);
  return test::memory_blocks(values);
}

TEST(FitScene, FindsTheDefectThatItLearnedFrom) {
  const auto cube = scene_with_defect(3);
  auto config = test::tiny_config();
  config.train.epochs = 5;
  ProgressMonitor monitor;
  const auto fitted = fit_scene(*cube, config, 1, monitor);
  EXPECT_EQ(fitted.model.training_cubes, 1);
  const auto again = fit_scene(*cube, config, 1, monitor);
  const auto score = predict(*fitted.model.detector, *cube, 4096, monitor).score;
  EXPECT_TRUE(torch::equal(predict(*again.model.detector, *cube, 4096, monitor).score, score));
  const auto place = score.argmax().item<std::int64_t>();
  EXPECT_EQ(place / 32 / 2, 10);
  EXPECT_TRUE(place % 32 == 9 || place % 32 == 10);
}

/// What the calibration measured in the scene need not be measured once more.
TEST(FitScene, ItsMapsAreThoseOfItsDetector) {
  const auto cube = scene_with_defect(3);
  for (const char* name : {"autoencoder", "segmenter", "rx", "area_filter", "ensemble"}) {
    auto config = test::tiny_config();
    config.detector.name = name;
    ProgressMonitor monitor;
    const auto scene = fit_scene(*cube, config, 1, monitor);
    EXPECT_TRUE(scene.measured.has_value()) << name;
    const auto maps = maps_of(scene, *cube, monitor);
    const auto predicted = predict(*scene.model.detector, *cube, 4096, monitor);
    EXPECT_TRUE(torch::allclose(maps.score, predicted.score, 1e-5, 1e-6)) << name;
    EXPECT_TRUE(torch::allclose(maps.sad_rad, predicted.sad_rad, 1e-5, 1e-6)) << name;
    EXPECT_TRUE(torch::equal(maps.valid, predicted.valid)) << name;
    EXPECT_EQ(maps.parts.size(), predicted.parts.size()) << name;
  }
}

/// Random numbers belong to a fit, not to the process.
TEST(FitScene, TwoAtATimeAreAsOneAfterTheOther) {
  auto config = test::tiny_config();
  config.detector.name = "ensemble";
  const auto score_of = [&config](std::uint64_t seed) {
    // One thread each, as the number of threads may change the last digits.
    at::set_num_threads(1);
    const auto cube = scene_with_defect(seed);
    ProgressMonitor monitor;
    const auto scene = fit_scene(*cube, config, seed, monitor);
    return maps_of(scene, *cube, monitor).score;
  };
  const auto begun = [&](std::uint64_t seed) { return std::async(std::launch::async, score_of, seed); };
  const auto first = begun(1).get();
  const auto second = begun(2).get();
  EXPECT_FALSE(torch::equal(first, second));
  for (int round = 0; round < 3; ++round) {
    auto one = begun(1);
    auto other = begun(2);
    EXPECT_TRUE(torch::equal(one.get(), first));
    EXPECT_TRUE(torch::equal(other.get(), second));
  }
}

}  // namespace
}  // namespace hyperdefect::engine
