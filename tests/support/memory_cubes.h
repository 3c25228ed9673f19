// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/engine/fitted_model.h"
#include "hyperdefect/engine/observer.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/model/detectors.h"
#include "support/tiny_model.h"

namespace hyperdefect::test {

/// A cube in memory, every pixel valid.
inline std::shared_ptr<engine::MemorySource> memory_cube(const torch::Tensor& values,
                                                         const std::string& name = "cube") {
  return std::make_shared<engine::MemorySource>(name, regular_bands(values.size(0)), values,
                                                torch::ones({values.size(1), values.size(2)}, torch::kBool));
}

inline std::shared_ptr<engine::MemorySource> smooth_cube(std::int64_t bands, Size size, std::uint64_t seed) {
  return memory_cube(smooth_scene(bands, size, seed));
}

/// tiny_options(), and a training of 4 epochs of 2 steps.
inline engine::RunConfig tiny_config() {
  const auto options = tiny_options();
  engine::RunConfig config;
  config.preprocess = options.preprocess;
  config.model = options.model;
  config.learning = options.learning;
  config.score = options.score;
  config.train.epochs = 4;
  config.train.steps_per_epoch = 2;
  config.train.batch = 2;
  config.train.patch_px = 16;
  config.train.warmup_steps = 2;
  config.run.device = "cpu";
  return config;
}

inline std::shared_ptr<model::Detector> detector_of(const engine::RunConfig& config, std::int64_t bands) {
  torch::manual_seed(1);
  return model::make_detector(engine::detector_options(config), regular_bands(bands));
}

/// Asks to stop after so many reports of a task.
class StopAfter : public engine::Observer {
 public:
  StopAfter(std::string task, std::int64_t reports) : task_(std::move(task)), left_(reports) {}
  void progress(const engine::Progress& progress) override { left_ -= progress.task == task_ ? 1 : 0; }
  bool stop_requested() const override { return left_ <= 0; }

 private:
  std::string task_;
  std::int64_t left_;
};

/// A detector with one weight, whose losses the test writes down: what surrounds a detector is seen through
/// it.
class ScriptedDetector : public model::Detector {
 public:
  ScriptedDetector() : Detector("ScriptedDetector") {
    weight = register_parameter("weight", torch::zeros({1}));
  }

  const spectral::Bands& bands() const override { return bands_; }
  void bind(const spectral::Bands&) override {}
  void observe(const spectral::Block&) override {}
  bool finish() override { return false; }
  bool trainable() const override { return true; }
  spectral::Block prepare(const spectral::Block& block) const override { return block; }
  std::vector<model::Loss> losses(const model::Batch&, at::Generator&) override {
    return {[this] {
      return is_training() ? (weight - train_target).square().sum()
                           : torch::tensor(held_out_losses.at(static_cast<std::size_t>(held_out_calls++)));
    }};
  }
  void calibrate(const spectral::Block&) override {}
  void finish_calibration() override {}
  /// The first band is the score.
  model::ScoreMaps score(const spectral::Block& block) override {
    return {block.values[0].clone(), torch::zeros_like(block.values[0]), block.valid};
  }
  Field field() const override { return {}; }
  std::int64_t bytes_per_pixel() const override { return 4; }
  std::string summary() const override { return {}; }

  torch::Tensor weight;
  double train_target = 1.0;
  std::vector<double> held_out_losses;
  std::int64_t held_out_calls = 0;

 private:
  spectral::Bands bands_{2, {}, {}, {}};
};

}  // namespace hyperdefect::test
