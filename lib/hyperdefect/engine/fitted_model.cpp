// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/fitted_model.h"

#include <fstream>
#include <iomanip>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/version.h"
#include "hyperdefect/engine/threshold.h"
#include "hyperdefect/model/detectors.h"
#include "hyperdefect/model/model_file.h"

namespace hyperdefect::engine {
namespace {

constexpr const char* kFormat = "hyperdefect model";
constexpr int kFormatVersion = 2;
/// What belongs to the machine (section run) does not travel.
const std::vector<std::string> kModelSections{"data",  "preprocess", "model", "train",
                                              "score", "threshold",  "output"};

std::string bands_json(const spectral::Bands& bands) {
  return nlohmann::json{
      {"count", bands.count}, {"wavelengths_nm", bands.wavelengths_nm}, {"fwhm_nm", bands.fwhm_nm}}
      .dump();
}

spectral::Bands bands_from(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  spectral::Bands bands;
  bands.count = json.at("count");
  bands.wavelengths_nm = json.at("wavelengths_nm").get<std::vector<double>>();
  bands.fwhm_nm = json.at("fwhm_nm").get<std::vector<double>>();
  return bands;
}

void check_format(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) {
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat) {
    throw ModelError(text::cat(path.string(), ": is a safetensors file, but not a model of this program"));
  }
  const int written = std::stoi(metadata.at("format_version"));
  if (written > kFormatVersion) {
    throw ModelError(text::cat(path.string(), ": was written in format ", written, ", this program (",
                               version(), ") reads format ", kFormatVersion, ": take a newer program"));
  }
  if (written < kFormatVersion) {
    throw ModelError(text::cat(path.string(), ": was written in format ", written, ", this program (",
                               version(), ") reads format ", kFormatVersion, ": train the model again"));
  }
}

std::string fingerprint_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  std::ostringstream hex;
  hex << std::hex << std::setw(16) << std::setfill('0') << hyperdefect::fingerprint(bytes);
  return hex.str();
}

std::string calibration_json(const std::optional<ScoreCalibration>& calibration) {
  if (!calibration) {
    return "null";
  }
  if (const auto* robust = std::get_if<RobustCalibration>(&*calibration)) {
    return nlohmann::json{{"kind", "robust"}, {"median", robust->median}, {"deviation", robust->deviation}}
        .dump();
  }
  const auto& tail = std::get<TailCalibration>(*calibration);
  return nlohmann::json{{"kind", "tail"},
                        {"median", tail.median},
                        {"start", tail.start},
                        {"scale", tail.scale},
                        {"shape", tail.shape}}
      .dump();
}

std::optional<ScoreCalibration> calibration_from_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  if (json.is_null()) {
    return std::nullopt;
  }
  if (json.at("kind") == "robust") {
    return RobustCalibration{json.at("median"), json.at("deviation")};
  }
  return TailCalibration{json.at("median"), json.at("start"), json.at("scale"), json.at("shape")};
}

FittedModel from_metadata(const std::filesystem::path& path,
                          const std::map<std::string, std::string>& metadata) {
  FittedModel model;
  schema_of(model.config).read_text(metadata.at("configuration"), path.string(), path.parent_path());
  model.threshold = nlohmann::json::parse(metadata.at("threshold")).get<double>();
  model.score_quantiles = nlohmann::json::parse(metadata.at("score_quantiles")).get<std::vector<double>>();
  model.calibration = calibration_from_json(metadata.at("score_calibration"));
  model.training_cubes = std::stoll(metadata.at("training_cubes"));
  model.training_valid_share = nlohmann::json::parse(metadata.at("training_valid_share")).get<double>();
  model.training = metadata.at("training");
  model.version = metadata.at("version");
  model.detector = model::make_detector(detector_options(model.config), bands_from(metadata.at("bands")));
  return model;
}

}  // namespace

model::DetectorOptions detector_options(const RunConfig& config) {
  return {config.preprocess, config.model,      config.learning, config.score,
          config.segmenter,  config.likelihood, config.classical};
}

void set_threshold(FittedModel& model, const torch::Tensor& scores) {
  if (model.config.score.calibration == "tail") {
    model.calibration = tail_calibration(scores);
  } else if (model.config.score.calibration == "robust") {
    model.calibration = robust_calibration(scores);
  }
  const auto judged = calibrated(scores, model);
  model.threshold = threshold_from(judged, model.config.threshold);
  model.score_quantiles = quantiles_of(judged, {std::begin(kQuantileLevels), std::end(kQuantileLevels)});
}

torch::Tensor calibrated(const torch::Tensor& scores, const FittedModel& model) {
  return model.calibration ? calibrated(scores, *model.calibration) : scores;
}

void save_model(const std::filesystem::path& path, const FittedModel& model) {
  auto config = model.config;
  model::TensorFile file;
  file.tensors = model::state_of(*model.detector);
  file.metadata = {{"format", kFormat},
                   {"format_version", std::to_string(kFormatVersion)},
                   {"version", version()},
                   {"configuration", schema_of(config).to_yaml(kModelSections)},
                   {"bands", bands_json(model.detector->bands())},
                   {"threshold", nlohmann::json(model.threshold).dump()},
                   {"score_calibration", calibration_json(model.calibration)},
                   {"score_quantiles", nlohmann::json(model.score_quantiles).dump()},
                   {"training", model.training},
                   {"training_cubes", std::to_string(model.training_cubes)},
                   {"training_valid_share", nlohmann::json(model.training_valid_share).dump()},
                   {"seed", std::to_string(config.run.seed)}};
  model::write_tensors(path, file);
}

FittedModel load_model(const std::filesystem::path& path) {
  const auto file = model::read_tensors(path);
  FittedModel model;
  try {
    check_format(path, file.metadata);
    model = from_metadata(path, file.metadata);
  } catch (const ConfigError& fault) {
    throw ModelError(
        text::cat(path.string(), ": its configuration is not one that this program reads: ", fault.what()));
  } catch (const std::logic_error&) {
    throw ModelError(text::cat(path.string(), ": lacks a part of the metadata that a model needs"));
  } catch (const nlohmann::json::exception&) {
    throw ModelError(text::cat(path.string(), ": has metadata that cannot be read"));
  } catch (const c10::Error& refusal) {
    throw ModelError(text::cat(
        path.string(), ": describes a network that cannot be built: ", refusal.what_without_backtrace()));
  }
  model::load_state(*model.detector, file.tensors, path.string());
  model.fingerprint = fingerprint_of(path);
  return model;
}

}  // namespace hyperdefect::engine
