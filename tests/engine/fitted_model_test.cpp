// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/fitted_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/version.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/memory_cubes.h"
#include "support/temp_dir.h"

namespace hyperdefect::engine {
namespace {

class ModelOnDisk : public ::testing::Test {
 protected:
  FittedModel fitted(const RunConfig& config) {
    auto model = fit_scene(*cube_, config, 1, observer_);
    model.calibration = TailCalibration{0.1, 1.0 / 7, 3, 0.25};
    model.threshold = 1.0 / 3;
    model.score_quantiles = {0, 0.1, 1, 2, 3, 4, 5};
    model.training_cubes = 7;
    return model;
  }

  RunConfig config() const {
    auto config = test::tiny_config();
    config.train.epochs = 1;
    return config;
  }

  /// The file after a change.
  template <class Change>
  void rewrite(Change change) const {
    auto file = model::read_tensors(path_);
    change(file);
    model::write_tensors(path_, file);
  }

  void expect_refused(const std::string& message) const {
    HYPERDEFECT_EXPECT_ERROR(load_model(path_), ModelError, path_.string() + message);
  }

  test::TempDir folder_;
  std::filesystem::path path_ = folder_ / "m.safetensors";
  std::shared_ptr<MemorySource> cube_ = test::smooth_cube(6, {20, 24}, 1);
  Observer observer_;
};

TEST_F(ModelOnDisk, GivesTheSameScoresAndThreshold) {
  for (const char* detector : {"autoencoder", "likelihood", "rx", "area_filter", "local_rx", "crd"}) {
    auto config = this->config();
    config.model.detector = detector;
    config.threshold.min_pixels = 3;
    config.run.seed = 11;
    const auto model = fitted(config);
    save_model(path_, model);
    const auto loaded = load_model(path_);
    EXPECT_EQ(loaded.threshold, 1.0 / 3);
    EXPECT_EQ(loaded.calibration, model.calibration);
    EXPECT_EQ(loaded.score_quantiles, model.score_quantiles);
    EXPECT_EQ(loaded.training_cubes, 7);
    EXPECT_EQ(loaded.version, version());
    EXPECT_EQ(loaded.fingerprint.size(), 16U);
    EXPECT_EQ(loaded.config.threshold.min_pixels, 3);
    EXPECT_EQ(loaded.config.model.features, config.model.features);
    EXPECT_EQ(loaded.detector->bands(), cube_->bands());
    const auto wanted = predict(*model.detector, *cube_, 4096, observer_);
    const auto got = predict(*loaded.detector, *cube_, 4096, observer_);
    EXPECT_TRUE(torch::equal(got.score, wanted.score)) << detector;
    EXPECT_TRUE(torch::equal(got.sad_rad, wanted.sad_rad)) << detector;
  }
}

TEST_F(ModelOnDisk, EqualModelsAreEqualFiles) {
  save_model(path_, fitted(config()));
  save_model(folder_ / "again.safetensors", fitted(config()));
  EXPECT_EQ(test::read_bytes(path_), test::read_bytes(folder_ / "again.safetensors"));
  EXPECT_EQ(load_model(path_).fingerprint, load_model(folder_ / "again.safetensors").fingerprint);
}

TEST_F(ModelOnDisk, MachineDoesNotTravel) {
  auto config = this->config();
  config.run.ram_mb = 99;
  save_model(path_, fitted(config));
  EXPECT_EQ(load_model(path_).config.run.ram_mb, RunOptions{}.ram_mb);
}

TEST_F(ModelOnDisk, RefusesWhatIsNoModel) {
  HYPERDEFECT_EXPECT_ERROR(load_model(path_), ModelError, "no such model file");
  model::write_tensors(path_, {{{"weight", torch::zeros({2})}}, {{"format", "pt"}}});
  expect_refused(": is a safetensors file, but not a model of this program");
  model::write_tensors(path_, {{{"weight", torch::zeros({2})}}, {}});
  expect_refused(": is a safetensors file, but not a model of this program");
}

TEST_F(ModelOnDisk, KeepsEachKindOfCalibration) {
  auto model = fitted(config());
  for (const std::optional<ScoreCalibration>& calibration :
       {std::optional<ScoreCalibration>{TailCalibration{1, 2, 3, 0.5}},
        std::optional<ScoreCalibration>{RobustCalibration{1.0 / 3, 0.25}},
        std::optional<ScoreCalibration>{}}) {
    model.calibration = calibration;
    model.config.score.calibration = !calibration                                            ? "none"
                                     : std::holds_alternative<TailCalibration>(*calibration) ? "tail"
                                                                                             : "robust";
    save_model(path_, model);
    EXPECT_EQ(load_model(path_).calibration, calibration);
  }
}

TEST_F(ModelOnDisk, CalibratesAsTheConfigurationSays) {
  const auto scores = torch::tensor({1.0, 2.0, 3.0, 4.0, 1003.0}, torch::kDouble);
  auto model = fitted(config());
  model.config.threshold.method = "quantile";
  model.config.threshold.quantile = 0.75;
  const auto threshold_with = [&](const std::string& calibration) {
    model.calibration.reset();
    model.config.score.calibration = calibration;
    set_threshold(model, scores);
    return model.threshold;
  };
  EXPECT_NEAR(threshold_with("none"), 4, 1e-6);
  EXPECT_NEAR(threshold_with("robust"), 1 / 1.4826, 1e-6);
  EXPECT_NEAR(threshold_with("tail"), calibrated(scores, tail_calibration(scores))[3].item<double>(), 1e-6);
}

TEST_F(ModelOnDisk, RefusesOtherFormats) {
  save_model(path_, fitted(config()));
  rewrite([](model::TensorFile& file) { file.metadata["format_version"] = "3"; });
  expect_refused(": was written in format 3, this program (" + version() +
                 ") reads format 2: take a newer program");
  rewrite([](model::TensorFile& file) { file.metadata["format_version"] = "1"; });
  expect_refused(": was written in format 1, this program (" + version() +
                 ") reads format 2: train the model again");
}

TEST_F(ModelOnDisk, RefusesConfigurationsThatDescribeNoModel) {
  save_model(path_, fitted(config()));
  rewrite(
      [](model::TensorFile& file) { file.metadata["configuration"] = "model:\n  lift_kernel: [4, 3, 3]\n"; });
  expect_refused(
      ": its configuration is not one that this program reads: model.lift_kernel and model.lift_stride");
  rewrite([](model::TensorFile& file) {
    file.metadata["configuration"] = "model:\n  detecter: rx\n  lift_kernal: 3\n  depht: 2\n";
  });
  const auto message = test::message_of<ModelError>([&] { load_model(path_); });
  EXPECT_NE(message.find(path_.string() + ": its configuration is not one that this program reads: "),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("detecter"), std::string::npos) << message;
  EXPECT_EQ(message.find("lift_kernal"), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with("; and more")) << message;
}

/// What would accept every cube is never written, whichever way it came about.
TEST_F(ModelOnDisk, IsNotWrittenWithAFault) {
  const auto sound = fitted(config());
  EXPECT_EQ(fault_of(sound), "");
  const auto expect_fault = [&](const std::string& fault, auto change) {
    auto model = sound;
    change(model);
    EXPECT_EQ(fault_of(model), fault);
    HYPERDEFECT_EXPECT_ERROR(save_model(path_, model), InputError,
                             "training failed: " + fault + "; look for extreme values in the cubes");
    EXPECT_FALSE(std::filesystem::exists(path_));
  };
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, infinity, -infinity}) {
    expect_fault("its threshold is not finite", [&](FittedModel& model) { model.threshold = bad; });
    expect_fault("its score quantiles are not finite and ascending",
                 [&](FittedModel& model) { model.score_quantiles[3] = bad; });
  }
  for (const auto& tail :
       {TailCalibration{nan, 1, 1, 0}, TailCalibration{0, infinity, 1, 0}, TailCalibration{1, 1, 1, 0},
        TailCalibration{0, 1, 0, 0}, TailCalibration{0, 1, -1, 0}, TailCalibration{0, 1, 1, -1},
        TailCalibration{0, 1, 1, 1e9}, TailCalibration{0, 1, 1, nan}, TailCalibration{0, 1e-310, 1, 0},
        TailCalibration{0, 1, 1e-310, 0}, TailCalibration{-1e300, 1, 1, 0}}) {
    expect_fault("its score calibration is not one that scores give",
                 [&](FittedModel& model) { model.calibration = tail; });
  }
  for (const auto& robust :
       {RobustCalibration{nan, 1}, RobustCalibration{0, 0}, RobustCalibration{0, -1},
        RobustCalibration{0, infinity}, RobustCalibration{0, 1e-310}, RobustCalibration{1e300, 1}}) {
    expect_fault("its score calibration is not one that scores give", [&](FittedModel& model) {
      model.config.score.calibration = "robust";
      model.calibration = robust;
    });
  }
  const torch::NoGradGuard no_gradient;
  for (auto& [name, tensor] : model::state_of(*sound.detector)) {
    const auto before = tensor.clone();
    tensor.fill_(tensor.is_floating_point() ? nan : -1);
    expect_fault(
        name + (tensor.is_floating_point() ? " holds values that are not finite" : " is a count and below 0"),
        [](FittedModel&) {});
    tensor.copy_(before);
  }
}

TEST_F(ModelOnDisk, ScoresWithoutAThresholdAreRefused) {
  auto model = fitted(config());
  for (const char* calibration : {"none", "robust", "tail"}) {
    for (const char* method : {"quantile", "sigma", "far"}) {
      model.config.score.calibration = calibration;
      model.config.threshold.method = method;
      model.calibration.reset();
      HYPERDEFECT_EXPECT_ERROR(set_threshold(model, torch::full({9}, std::nan(""))), InputError,
                               "no valid score to set a threshold from");
      for (const double same : {0.0, 1e-30, 5.0, 1e30}) {
        model.calibration.reset();
        set_threshold(model, torch::full({9}, same));
        EXPECT_EQ(fault_of(model), "") << calibration << ' ' << method << ' ' << same;
      }
    }
  }
}

TEST_F(ModelOnDisk, RefusesTensorsThatDoNotFit) {
  save_model(path_, fitted(config()));
  rewrite([](model::TensorFile& file) {
    file.tensors["network.head.bias"] = torch::zeros({9});
    file.tensors.erase("spectra");
    file.tensors["extra"] = torch::zeros({1});
  });
  expect_refused(
      ": does not fit the model that its configuration describes: network.head.bias is (9) Float instead of "
      "(4) "
      "Float; spectra is missing; extra is unknown");
}

}  // namespace
}  // namespace hyperdefect::engine
