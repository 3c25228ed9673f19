// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/fitted_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/version.h"
#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/detector/registry.h"
#include "hyperdefect/model/model_file.h"
#include "support/expect_error.h"
#include "support/temp_dir.h"
#include "support/tiny_config.h"

namespace hyperdefect::model {
namespace {

class ModelOnDisk : public ::testing::Test {
 protected:
  FittedModel fitted(const RunConfig& config) const {
    FittedModel model;
    model.config = config;
    model.detector = test::fitted(config.detector, scene_);
    model.calibration = FalseAlarmCalibration{9, {0.1, 1.0 / 7}, {0, 1.0 / 3}, 3, 0.25};
    model.threshold = 1.0 / 3;
    model.min_evidence = 2.0 / 3;
    model.false_alarms =
        FalseAlarms{7, 480, false, {0.1, {}, 0.2, 0.1, 0.3}, FalseAlarmRate{0.05, 0.125, 0, 0, 0.4}};
    model.drift = DriftReference{{0.1, 0.2, 0.3, 0.4, 0.5, 1.0 / 3},
                                 {0, 0.1, -5, -4, -3, -2},
                                 {0.01, 0.02, 0.03, 0.04, 0.05, 1.0 / 7},
                                 9};
    model.score_quantiles = {0, 0.1, 1, 2, 3, 4, 5};
    model.training_cubes = 7;
    return model;
  }

  static RunConfig config() { return test::tiny_config(); }

  detector::ScoreMaps maps_of(const FittedModel& model) const {
    return model.detector->score(model.detector->preprocessed(scene_));
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
  spectral::Block scene_ = test::whole_block(test::smooth_scene(6, {20, 24}, 1));
};

TEST_F(ModelOnDisk, KnowsWhetherItWasTrainedOnReflectance) {
  auto model = fitted(config());
  for (const std::optional<bool> trained : {std::optional<bool>(), {true}, {false}}) {
    model.trained_on_reflectance = trained;
    save_model(path_, model);
    EXPECT_EQ(load_model(path_).trained_on_reflectance, trained);
  }
  rewrite([](TensorFile& file) { file.metadata["values"] = "counts"; });
  expect_refused(": is a damaged model file (its metadata: values is neither reflectance nor file_units)");
}

TEST_F(ModelOnDisk, DoesNotKeepTheReferencesOfItsTraining) {
  auto model = fitted(config());
  model.config.data.white = "/scans/white.img";
  model.config.data.dark = "/scans/dark.img";
  model.config.data.references = ReferenceUse::none;
  save_model(path_, model);
  const auto data = load_model(path_).config.data;
  EXPECT_EQ(data.white + data.dark, "");
  EXPECT_EQ(data.references, ReferenceUse::none);
}

TEST_F(ModelOnDisk, GivesTheSameScoresAndThreshold) {
  for (const auto& row : detector::registry()) {
    auto config = ModelOnDisk::config();
    config.detector.name = row.name;
    config.threshold.min_pixels = 3;
    config.run.seed = 11;
    const auto model = fitted(config);
    save_model(path_, model);
    const auto loaded = load_model(path_);
    EXPECT_EQ(loaded.threshold, 1.0 / 3);
    EXPECT_EQ(loaded.min_evidence, 2.0 / 3);
    EXPECT_EQ(loaded.false_alarms, model.false_alarms);
    EXPECT_EQ(loaded.drift, model.drift);
    EXPECT_EQ(loaded.calibration, model.calibration);
    EXPECT_EQ(loaded.score_quantiles, model.score_quantiles);
    EXPECT_EQ(loaded.training_cubes, 7);
    EXPECT_EQ(loaded.version, version());
    EXPECT_EQ(loaded.fingerprint.size(), 16U);
    EXPECT_EQ(loaded.config.detector.name, row.name);
    EXPECT_EQ(loaded.config.threshold.min_pixels, 3);
    EXPECT_EQ(loaded.config.detector.of<detector::AutoencoderOptions>().network.features,
              config.detector.of<detector::AutoencoderOptions>().network.features);
    EXPECT_EQ(loaded.detector->bands(), test::regular_bands(6));
    const auto wanted = maps_of(model);
    const auto got = maps_of(loaded);
    EXPECT_GT(wanted.score.max().item<double>(), wanted.score.min().item<double>()) << row.name;
    EXPECT_TRUE(torch::equal(got.score, wanted.score)) << row.name;
    EXPECT_TRUE(torch::equal(got.sad_rad, wanted.sad_rad)) << row.name;
  }
}

TEST_F(ModelOnDisk, OfAnEarlierVersionKnowsNoDrift) {
  auto model = fitted(config());
  save_model(path_, model);
  rewrite([](TensorFile& file) { file.metadata.erase("drift"); });
  rewrite([](TensorFile& file) { add_checksum(file); });
  EXPECT_FALSE(load_model(path_).drift);
  model.drift.reset();
  save_model(path_, model);
  EXPECT_FALSE(load_model(path_).drift);
}

TEST_F(ModelOnDisk, RefusesDamagedDrift) {
  const std::string sound = R"({"count": 9, "mean": [0,0,0,0,0,0], "deviation": [1,1,1,1,1,1],)";
  for (const auto& [text, fault] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "drift"},
           {sound + R"("log_spectrum": [1, 2]})", "drift.log_spectrum has 2 elements instead of 6"},
           {R"({"count": 2})", "drift.count"},
           {R"({"count": 9, "mean": [0]})", "drift.mean has 1 elements instead of 6"},
           {R"({"count": 9, "mean": [0,0,0,0,0,0], "deviation": [1,1,0,1,1,1]})",
            "an element of drift.deviation is not a finite number above 0"}}) {
    save_model(path_, fitted(config()));
    rewrite([&](TensorFile& file) { file.metadata["drift"] = text; });
    expect_refused(": is a damaged model file (its metadata: " + fault);
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
  const std::vector<std::pair<Calibration, std::optional<ScoreCalibration>>> kinds{
      {Calibration::false_alarm_probability, FalseAlarmCalibration{2, {1, 2}, {0, 0.25}, 3, 0.5}},
      {Calibration::mad, MadCalibration{1.0 / 3, 0.25}},
      {Calibration::none, std::nullopt}};
  for (const auto& [kind, calibration] : kinds) {
    model.config.score.calibration = kind;
    model.calibration = calibration;
    save_model(path_, model);
    EXPECT_EQ(load_model(path_).calibration, calibration);
    EXPECT_EQ(load_model(path_).config.score.calibration, kind);
  }
}

TEST_F(ModelOnDisk, CalibratesAsTheConfigurationSays) {
  const auto scores = torch::tensor({1.0, 2.0, 3.0, 4.0, 1003.0}, torch::kDouble);
  auto model = fitted(config());
  model.config.threshold.method = ThresholdMethod::quantile;
  model.config.threshold.quantile = 0.75;
  const auto threshold_with = [&](Calibration calibration) {
    model.calibration.reset();
    model.config.score.calibration = calibration;
    set_threshold(model, scores);
    return model.threshold;
  };
  EXPECT_NEAR(threshold_with(Calibration::none), 4, 1e-6);
  EXPECT_NEAR(threshold_with(Calibration::mad), 1 / 1.4826, 1e-6);
  EXPECT_NEAR(threshold_with(Calibration::false_alarm_probability),
              calibrated(scores, false_alarm_calibration(scores))[3].item<double>(), 1e-6);
}

/// They stay readable, and their scores are what they were: a line through the median up to where the tail
/// begins, which 3 in 10 exceed, and a generalised Pareto distribution.
TEST_F(ModelOnDisk, ReadsTheScaleOfEarlierVersions) {
  save_model(path_, fitted(config()));
  rewrite([](model::TensorFile& file) {
    file.metadata["score_calibration"] =
        R"({"kind": "pareto_tail", "median": 1, "start": 3, "scale": 2, "shape": 0.5})";
    file.metadata.erase("min_evidence");
    file.metadata.erase("false_alarms");
  });
  rewrite([](model::TensorFile& file) { model::add_checksum(file); });
  const auto loaded = load_model(path_);
  EXPECT_EQ(loaded.min_evidence, 0);
  EXPECT_FALSE(loaded.false_alarms);
  const auto at = [&](double score) {
    return calibrated(torch::tensor({score}, torch::kDouble), loaded).item<double>();
  };
  const double at_median = std::log10(2.0);
  const double at_start = -std::log10(0.3);
  EXPECT_NEAR(at(1), at_median, 1e-6);
  EXPECT_NEAR(at(3), at_start, 1e-6);
  EXPECT_NEAR(at(0), at_median - (at_start - at_median) / 2, 1e-6);
  EXPECT_NEAR(at(7), at_start + std::log1p(0.5 * 2) / 0.5 / std::log(10.0), 1e-6);
}

TEST_F(ModelOnDisk, RefusesOtherFormats) {
  save_model(path_, fitted(config()));
  rewrite([](model::TensorFile& file) { file.metadata["format_version"] = "4"; });
  expect_refused(": was written in format 4, but this program (" + version() +
                 ") reads format 3: use a newer version of the program");
  for (const char* former : {"1", "2"}) {
    rewrite([&](model::TensorFile& file) { file.metadata["format_version"] = former; });
    expect_refused(": was written in format " + std::string(former) + ", but this program (" + version() +
                   ") reads format 3: train the model again");
  }
}

TEST_F(ModelOnDisk, RefusesConfigurationsThatDescribeNoModel) {
  save_model(path_, fitted(config()));
  rewrite([](model::TensorFile& file) {
    file.metadata["configuration"] = "autoencoder:\n  lift_kernel: [4, 3, 3]\n";
  });
  expect_refused(
      ": its configuration is not one that this program reads: autoencoder.lift_kernel and "
      "lift_stride do not go together: ");
  rewrite([](model::TensorFile& file) {
    file.metadata["configuration"] = "model:\n  detecter: rx\nautoencoder:\n  lift_kernal: 3\n  depht: 2\n";
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
    expect_fault("the evidence that it asks of a defect is not a finite number of at least 0",
                 [&](FittedModel& model) { model.min_evidence = bad; });
    expect_fault("its score quantiles are not finite and ascending",
                 [&](FittedModel& model) { model.score_quantiles[3] = bad; });
  }
  for (const auto& tail :
       {FalseAlarmCalibration{-1}, FalseAlarmCalibration{9, {}, {}}, FalseAlarmCalibration{9, {0, 1}, {0}},
        FalseAlarmCalibration{9, {0, nan}, {0, 1}}, FalseAlarmCalibration{9, {0, infinity}, {0, 1}},
        FalseAlarmCalibration{9, {0, 1}, {0, nan}}, FalseAlarmCalibration{9, {1, 1}, {0, 1}},
        FalseAlarmCalibration{9, {1, 0}, {0, 1}}, FalseAlarmCalibration{9, {0, 1}, {1, 0}},
        FalseAlarmCalibration{9, {0, 1e-310}, {0, 1}}, FalseAlarmCalibration{9, {-1e300, 1}, {0, 1}},
        FalseAlarmCalibration{9, {0, 1}, {0, 1}, 0}, FalseAlarmCalibration{9, {0, 1}, {0, 1}, -1},
        FalseAlarmCalibration{9, {0, 1}, {0, 1}, 1e-310}, FalseAlarmCalibration{9, {0, 1}, {0, 1}, 1, -1},
        FalseAlarmCalibration{9, {0, 1}, {0, 1}, 1, 1e9}, FalseAlarmCalibration{9, {0, 1}, {0, 1}, 1, nan}}) {
    expect_fault("its score calibration holds impossible values",
                 [&](FittedModel& model) { model.calibration = tail; });
  }
  for (const auto& robust :
       {MadCalibration{nan, 1}, MadCalibration{0, 0}, MadCalibration{0, -1}, MadCalibration{0, infinity},
        MadCalibration{0, 1e-310}, MadCalibration{1e300, 1}}) {
    expect_fault("its score calibration holds impossible values", [&](FittedModel& model) {
      model.config.score.calibration = Calibration::mad;
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
  for (const auto calibration : {Calibration::none, Calibration::mad, Calibration::false_alarm_probability}) {
    for (const auto method :
         {ThresholdMethod::quantile, ThresholdMethod::sigma, ThresholdMethod::false_alarm_rate}) {
      model.config.score.calibration = calibration;
      model.config.threshold.method = method;
      model.calibration.reset();
      HYPERDEFECT_EXPECT_ERROR(set_threshold(model, torch::full({9}, std::nan(""))), InputError,
                               "no valid score: every pixel is invalid");
      for (const double same : {0.0, 1e-30, 5.0, 1e30}) {
        model.calibration.reset();
        set_threshold(model, torch::full({9}, same));
        EXPECT_EQ(fault_of(model), "")
            << static_cast<int>(calibration) << ' ' << static_cast<int>(method) << ' ' << same;
        EXPECT_EQ(model.calibration.has_value(), calibration != Calibration::none);
      }
    }
  }
}

TEST_F(ModelOnDisk, RefusesTensorsThatDoNotFit) {
  save_model(path_, fitted(config()));
  rewrite([](model::TensorFile& file) {
    file.tensors["detector.network.head.bias"] = torch::zeros({9});
    file.tensors.erase("preprocess.sample");
    file.tensors["extra"] = torch::zeros({1});
  });
  expect_refused(
      ": does not fit the model that its configuration describes: detector.network.head.bias is (9) Float "
      "instead of (4) Float; preprocess.sample is missing; extra is unknown");
}

}  // namespace
}  // namespace hyperdefect::model
