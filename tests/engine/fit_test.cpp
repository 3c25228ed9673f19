// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/fit.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "hyperdefect/core/error.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/memory_cubes.h"
#include "support/temp_dir.h"

namespace hyperdefect::engine {
namespace {

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
    config_.model.norm = "batch";
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
    const auto undisturbed = test::detector_of(config_, 6);
    const auto wanted = fit(*undisturbed, undisturbed_job, observer_);
    ASSERT_EQ(wanted.history.size(), 4U);
    for (std::int64_t steps = 1; steps <= 8; ++steps) {
      std::filesystem::remove(job().checkpoint);
      test::StopAfter stop("train", steps);
      const auto stopped = test::detector_of(config_, 6);
      EXPECT_THROW(fit(*stopped, job(), stop), Interrupted) << steps;
      auto rest = job();
      rest.resume = true;
      const auto resumed = test::detector_of(config_, 6);
      const auto report = fit(*resumed, rest, observer_);
      EXPECT_EQ(table_of(report), table_of(wanted)) << steps;
      EXPECT_EQ(report.kept_epoch, wanted.kept_epoch);
      expect_equal(model::state_of(*resumed), model::state_of(*undisturbed));
    }
  }

  RunConfig config_ = test::tiny_config();
  test::TempDir folder_;
  Observer observer_;
};

TEST_F(Fit, GoesOnFromEveryEpochAsIfNothingHadHappened) {
  expect_going_on_changes_nothing();
}

TEST_F(Fit, GoesOnWhereNetworksLearnSideBySide) {
  config_.model.detector = "fused";
  config_.model.fused = {"autoencoder", "segmenter"};
  config_.segmenter.networks = 2;
  config_.segmenter.share = 0.5;
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  expect_going_on_changes_nothing();
  EXPECT_EQ(at::get_num_threads(), 2);
  at::set_num_threads(threads);
}

TEST_F(Fit, SaysWhereItStopped) {
  test::StopAfter in_training("train", 3);
  HYPERDEFECT_EXPECT_ERROR(fit(*test::detector_of(config_, 6), job(), in_training), Interrupted,
                           "stopped in epoch 2 of 4");
  test::StopAfter at_once("statistics", 0);
  HYPERDEFECT_EXPECT_ERROR(fit(*test::detector_of(config_, 6), job(), at_once), Interrupted,
                           "stopped in the statistics pass");
}

TEST_F(Fit, WritesACheckpointAfterEachEpoch) {
  test::StopAfter stop("train", 5);
  EXPECT_THROW(fit(*test::detector_of(config_, 6), job(), stop), Interrupted);
  const auto state = read_checkpoint(job().checkpoint, "a job");
  ASSERT_EQ(state.history.size(), 2U);
  EXPECT_EQ(state.history[1].steps, 4);
  EXPECT_TRUE(state.history[1].holdout_loss.has_value());
}

TEST_F(Fit, RefusesTheCheckpointOfAnotherJob) {
  test::StopAfter stop("train", 3);
  EXPECT_THROW(fit(*test::detector_of(config_, 6), job(), stop), Interrupted);
  auto other = job();
  other.resume = true;
  other.job = "another job";
  HYPERDEFECT_EXPECT_ERROR(fit(*test::detector_of(config_, 6), other, observer_), UsageError,
                           "the checkpoint belongs to another training");
}

TEST_F(Fit, RefusesADamagedCheckpoint) {
  auto rest = job();
  rest.resume = true;
  test::write_bytes(rest.checkpoint, "half a check");
  HYPERDEFECT_EXPECT_ERROR(fit(*test::detector_of(config_, 6), rest, observer_), ModelError,
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
      {"it holds tensors that are no part of a training",
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
      record("steps", 3, "has other steps than train.steps_per_epoch, 2"),
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
  EXPECT_THROW(fit(*test::detector_of(config_, 6), job(), stop), Interrupted);
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
        test::message_of<ModelError>([&] { fit(*test::detector_of(config_, 6), rest, observer_); });
    EXPECT_TRUE(message.starts_with(path.string() + ": is a damaged training checkpoint (")) << message;
    EXPECT_NE(message.find(damage.message), std::string::npos) << message << "\nwanted: " << damage.message;
    EXPECT_TRUE(message.ends_with("); remove it, or start again with --overwrite")) << message;
  }
  model::write_tensors(path, sound);
  EXPECT_EQ(fit(*test::detector_of(config_, 6), rest, observer_).history.size(), 4U);
}

TEST_F(Fit, IgnoresACheckpointThatItWasNotAskedToTake) {
  test::write_bytes(job().checkpoint, "half a check");
  EXPECT_EQ(fit(*test::detector_of(config_, 6), job(), observer_).history.size(), 4U);
}

TEST_F(Fit, DependsOnTheSeed) {
  const auto loss = [&](std::uint64_t seed) {
    auto seeded_job = job();
    seeded_job.seed = seed;
    return fit(*test::detector_of(config_, 6), seeded_job, observer_).history.back().loss;
  };
  EXPECT_EQ(loss(5), loss(5));
  EXPECT_NE(loss(5), loss(6));
}

TEST_F(Fit, NeedsNoGradientForRx) {
  config_.model.detector = "rx";
  const auto detector = test::detector_of(config_, 6);
  const auto report = fit(*detector, job(), observer_);
  EXPECT_TRUE(report.history.empty());
  EXPECT_EQ(report.kept_epoch, 0);
  EXPECT_FALSE(std::filesystem::exists(job().checkpoint));
}

TEST_F(Fit, SaysThatThereIsTooLittleToLearnFrom) {
  auto empty = job();
  empty.sources = {std::make_shared<MemorySource>("cube", test::regular_bands(6), torch::zeros({6, 8, 8}),
                                                  torch::zeros({8, 8}, torch::kBool))};
  HYPERDEFECT_EXPECT_ERROR(fit(*test::detector_of(config_, 6), empty, observer_), InputError,
                           "too few valid pixels to learn from: 0");
}

class Schedule : public ::testing::Test {
 protected:
  Schedule() {
    job_.sources = {test::memory_cube(torch::rand({2, 20, 20}))};
    job_.train.epochs = 10;
    job_.train.steps_per_epoch = 1;
    job_.train.patch_px = 8;
    job_.train.holdout_fraction = 0.2;
    job_.train.warmup_steps = 0;
    job_.train.learning_rate = 0.1;
  }

  /// One held-out loss an epoch: the held-out part is cut into three pieces.
  void script(const std::vector<double>& losses) {
    for (const double loss : losses) {
      detector_.held_out_losses.insert(detector_.held_out_losses.end(), 3, loss);
    }
  }

  FitJob job_;
  test::ScriptedDetector detector_;
  Observer observer_;
};

TEST_F(Schedule, PatienceKeepsTheBestEpoch) {
  script({5, 4, 3, 3.5, 3, 3.1, 1, 1, 1, 1});
  job_.train.patience = 3;
  const auto report = fit(detector_, job_, observer_);
  ASSERT_EQ(report.history.size(), 6U);
  EXPECT_EQ(report.kept_epoch, 3);
  EXPECT_DOUBLE_EQ(report.history[3].holdout_loss.value(), 3.5);
  const auto kept = detector_.weight.item<double>();
  test::ScriptedDetector three;
  auto shorter = job_;
  // The same schedule, cut after the third epoch.
  three.held_out_losses = {5, 5, 5, 4, 4, 4, 3, 3, 3};
  test::StopAfter stop("train", 3);
  EXPECT_THROW(fit(three, shorter, stop), Interrupted);
  EXPECT_EQ(three.weight.item<double>(), kept);
}

TEST_F(Schedule, WithoutPatienceTheBestEpochIsKeptAllTheSame) {
  script({5, 4, 3, 3.5, 3, 3.1, 6, 6, 6, 6});
  const auto report = fit(detector_, job_, observer_);
  EXPECT_EQ(report.history.size(), 10U);
  EXPECT_EQ(report.kept_epoch, 3);
}

TEST_F(Schedule, WithoutAHeldOutPartTheLastEpochIsKept) {
  job_.train.holdout_fraction = 0;
  job_.train.patience = 1;
  const auto report = fit(detector_, job_, observer_);
  EXPECT_EQ(report.kept_epoch, 10);
  EXPECT_FALSE(report.history[0].holdout_loss.has_value());
}

TEST_F(Schedule, RateRisesAndFallsAsACosine) {
  job_.train.holdout_fraction = 0;
  job_.train.warmup_steps = 2;
  job_.train.final_rate = 0.1;
  const auto history = fit(detector_, job_, observer_).history;
  EXPECT_NEAR(history[0].learning_rate, 0.05, 1e-12);
  EXPECT_NEAR(history[1].learning_rate, 0.1, 1e-12);
  // Steps 2 to 10 are a half cosine: in its middle, at step 6, half of what lies between the ends.
  EXPECT_NEAR(history[6].learning_rate, 0.055, 1e-12);
  EXPECT_LT(history[9].learning_rate, 0.02);
}

TEST_F(Schedule, LossThatIsNoNumberStopsTheTraining) {
  job_.train.holdout_fraction = 0;
  detector_.train_target = std::numeric_limits<double>::quiet_NaN();
  HYPERDEFECT_EXPECT_ERROR(
      fit(detector_, job_, observer_), Error,
      "training failed: the loss is nan; lower train.learning_rate or set train.gradient_clip, "
      "and look for extreme values in the cubes");
}

TEST(TrainingScores, AreThoseOfTheHeldOutRowsWhereThereAreSome) {
  test::ScriptedDetector detector;
  const auto rows = torch::arange(10, torch::kFloat).view({1, -1, 1}).expand({2, 10, 3}).contiguous();
  FitJob job;
  job.sources = {test::memory_cube(rows)};
  Observer observer;
  EXPECT_EQ(training_scores(detector, job, 0.0, observer).numel(), 30);
  const auto held_out = training_scores(detector, job, 0.2, observer);
  EXPECT_EQ(held_out.numel(), 6);
  EXPECT_EQ(held_out.min().item<float>(), 8.0F);
}

TEST(FitScene, FindsTheDefectThatItLearnedFrom) {
  auto values = test::smooth_scene(6, {32, 32}, 3);
  values.narrow(1, 20, 2).narrow(2, 9, 2).slice(0, 2, 5).add_(0.1);
  const auto cube = test::memory_cube(values);
  auto config = test::tiny_config();
  config.train.epochs = 5;
  Observer observer;
  const auto fitted = fit_scene(*cube, config, 1, observer);
  EXPECT_EQ(fitted.training_cubes, 1);
  const auto again = fit_scene(*cube, config, 1, observer);
  const auto score = predict(*fitted.detector, *cube, 4096, observer).score;
  EXPECT_TRUE(torch::equal(predict(*again.detector, *cube, 4096, observer).score, score));
  const auto place = score.argmax().item<std::int64_t>();
  EXPECT_EQ(place / 32 / 2, 10);
  EXPECT_TRUE(place % 32 == 9 || place % 32 == 10);
}

}  // namespace
}  // namespace hyperdefect::engine
