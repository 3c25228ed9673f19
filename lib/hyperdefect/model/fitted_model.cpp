// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/fitted_model.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/version.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/metric/quantile.h"
#include "hyperdefect/model/allocation_limit.h"
#include "hyperdefect/model/drift_fields.h"
#include "hyperdefect/model/json_fields.h"
#include "hyperdefect/model/threshold.h"

namespace hyperdefect::model {
namespace {

constexpr const char* kFormat = "hyperdefect model";
constexpr int kFormatVersion = 3;
/// The key of what the values of the training cubes were, and what it says.
constexpr const char* kValues = "values";
constexpr const char* kReflectance = "reflectance";
constexpr const char* kFileUnits = "file_units";

std::string bands_json(const spectral::Bands& bands) {
  return nlohmann::json{
      {"count", bands.count}, {"wavelengths_nm", bands.wavelengths_nm}, {"fwhm_nm", bands.fwhm_nm}}
      .dump();
}

/// The metadata of a model file, read strictly.
class Metadata {
 public:
  explicit Metadata(const std::map<std::string, std::string>& texts) : texts_(texts) {}

  /// @param longest far more than any model needs, and soon parsed.
  const std::string& text(const std::string& key, std::size_t longest = 4'000'000) const {
    const auto found = texts_.find(key);
    if (found == texts_.end()) {
      throw FieldFault(text::concat("lacks ", key));
    }
    if (found->second.size() > longest) {
      throw FieldFault(text::concat(key, " is ", found->second.size(), " bytes long, but at most ", longest,
                                    " are allowed"));
    }
    return found->second;
  }
  nlohmann::json json(const std::string& key) const { return json_from(text(key), key); }
  /// What models of earlier versions lack.
  bool has(const std::string& key) const { return texts_.contains(key); }

 private:
  const std::map<std::string, std::string>& texts_;
};

constexpr double kMostBands = 1e6;
constexpr double kMostCubes = 1e9;
constexpr double kMostPixels = 1e15;
/// Of a fingerprint or a version.
constexpr std::size_t kLongestName = 1000;

/// One value for each band, or none.
std::vector<double> values_of_bands(const nlohmann::json& bands, const char* key, std::int64_t count,
                                    const NumberRange& range) {
  auto values = numbers(field(bands, key, "bands"), text::concat("bands.", key), range);
  if (!values.empty() && static_cast<std::int64_t>(values.size()) != count) {
    throw FieldFault(
        text::concat("bands.", key, " has ", values.size(), " elements, but bands.count is ", count));
  }
  return values;
}

spectral::Bands bands_from(const nlohmann::json& json) {
  spectral::Bands bands;
  bands.count = integer(field(json, "count", "bands"), "bands.count", {1, kMostBands});
  bands.wavelengths_nm = values_of_bands(json, "wavelengths_nm", bands.count, {kPositive, kLargest});
  bands.fwhm_nm = values_of_bands(json, "fwhm_nm", bands.count, {0, kLargest});
  return bands;
}

/// Models of earlier versions do not say it.
std::optional<bool> trained_on_reflectance(const Metadata& metadata) {
  if (!metadata.has(kValues)) {
    return std::nullopt;
  }
  const auto& values = metadata.text(kValues, kLongestName);
  if (values != kReflectance && values != kFileUnits) {
    throw FieldFault(text::concat(kValues, " is neither ", kReflectance, " nor ", kFileUnits));
  }
  return values == kReflectance;
}

int format_version_of(const std::string& text) {
  int number = 0;
  const auto* end = text.data() + text.size();
  const auto [read_to, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{} || read_to != end || number < 1) {
    throw FieldFault("format_version is not a version number");
  }
  return number;
}

void check_format(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata) {
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat) {
    throw ModelError(text::concat(path.string(), ": is a safetensors file, but not a model of this program"));
  }
  const int written = format_version_of(Metadata(metadata).text("format_version"));
  if (written != kFormatVersion) {
    throw ModelError(text::concat(
        path.string(), ": was written in format ", written, ", but this program (", version(),
        ") reads format ", kFormatVersion,
        written > kFormatVersion ? ": use a newer version of the program" : ": train the model again"));
  }
}

std::string fingerprint_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> piece(1 << 20);
  auto bytes = hyperdefect::fingerprint({});
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())) || stream.gcount() > 0) {
    bytes = hyperdefect::fingerprint({piece.data(), static_cast<std::size_t>(stream.gcount())}, bytes);
  }
  std::ostringstream hex;
  hex << std::hex << std::setw(16) << std::setfill('0') << bytes;
  return hex.str();
}

std::string calibration_json(const std::optional<ScoreCalibration>& calibration) {
  if (!calibration) {
    return "null";
  }
  if (const auto* mad = std::get_if<MadCalibration>(&*calibration)) {
    return nlohmann::json{{"kind", "mad"}, {"median", mad->median}, {"deviation", mad->deviation}}.dump();
  }
  const auto& scale = std::get<FalseAlarmCalibration>(*calibration);
  return nlohmann::json{{"kind", "false_alarm_probability"}, {"count", scale.count}, {"scores", scale.scores},
                        {"decades", scale.decades},          {"scale", scale.scale}, {"shape", scale.shape}}
      .dump();
}

/// Of earlier versions: a line through the median up to the start of a tail, which three in ten exceed.
FalseAlarmCalibration from_pareto_tail(double median, double start, double scale, double shape) {
  constexpr double kAbove = 0.3;
  return {0, {median, start}, {std::log10(2.0), -std::log10(kAbove)}, scale, shape};
}

std::optional<ScoreCalibration> calibration_from(const nlohmann::json& json) {
  const std::string name = "score_calibration";
  if (json.is_null()) {
    return std::nullopt;
  }
  const auto value = [&](const char* key) {
    return number(field(json, key, name), text::concat(name, '.', key));
  };
  const auto& kind = field(json, "kind", name);
  if (kind == "mad") {
    return MadCalibration{value("median"), value("deviation")};
  }
  if (kind == "pareto_tail") {
    return from_pareto_tail(value("median"), value("start"), value("scale"), value("shape"));
  }
  if (kind == "false_alarm_probability") {
    const auto values = [&](const char* key) {
      return numbers(field(json, key, name), text::concat(name, '.', key));
    };
    return FalseAlarmCalibration{integer(field(json, "count", name), name + ".count", {0, kMostPixels}),
                                 values("scores"), values("decades"), value("scale"), value("shape")};
  }
  throw FieldFault(text::concat(name, ".kind is neither false_alarm_probability nor mad"));
}

std::string split_json(const std::optional<spectral::MaterialSplit>& split) {
  return split
             ? nlohmann::json{{"weights", split->weights}, {"offset", split->offset}, {"floor", split->floor}}
                   .dump()
             : "null";
}

std::optional<spectral::MaterialSplit> split_from(const nlohmann::json& json, std::int64_t bands) {
  const std::string name = "product";
  if (json.is_null()) {
    return std::nullopt;
  }
  spectral::MaterialSplit split;
  split.weights = numbers(field(json, "weights", name), "product.weights");
  split.offset = number(field(json, "offset", name), "product.offset");
  split.floor = number(field(json, "floor", name), "product.floor", {kPositive, kLargest});
  if (static_cast<std::int64_t>(split.weights.size()) != bands) {
    throw FieldFault(text::concat("product.weights has ", split.weights.size(),
                                  " elements, but the model takes ", bands, " bands"));
  }
  return split;
}

Calibration kind_of(const std::optional<ScoreCalibration>& calibration) {
  if (!calibration) {
    return Calibration::none;
  }
  return std::holds_alternative<MadCalibration>(*calibration) ? Calibration::mad
                                                              : Calibration::false_alarm_probability;
}

nlohmann::json rate_json(const FalseAlarmRate& rate) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
  };
  return {{"asked", or_null(rate.asked)},
          {"supported", or_null(rate.supported)},
          {"seen", rate.seen},
          {"low", rate.low},
          {"high", rate.high}};
}

FalseAlarmRate rate_from(const nlohmann::json& json, const std::string& name) {
  const NumberRange unit{0, 1};
  const auto optional = [&](const char* key) {
    const auto& value = field(json, key, name);
    return value.is_null() ? std::nullopt : std::optional(number(value, text::concat(name, '.', key), unit));
  };
  const auto value = [&](const char* key) {
    return number(field(json, key, name), text::concat(name, '.', key), unit);
  };
  return {optional("asked"), optional("supported"), value("seen"), value("low"), value("high")};
}

std::string false_alarms_json(const std::optional<FalseAlarms>& alarms) {
  if (!alarms) {
    return "null";
  }
  return nlohmann::json{{"cubes", alarms->cubes},
                        {"pixels", alarms->pixels},
                        {"in_sample", alarms->in_sample},
                        {"pixel", rate_json(alarms->pixel)},
                        {"cube", alarms->cube ? rate_json(*alarms->cube) : nlohmann::json(nullptr)}}
      .dump();
}

std::optional<FalseAlarms> false_alarms_from(const nlohmann::json& json) {
  const std::string name = "false_alarms";
  if (json.is_null()) {
    return std::nullopt;
  }
  FalseAlarms alarms;
  alarms.cubes = integer(field(json, "cubes", name), name + ".cubes", {0, kMostCubes});
  alarms.pixels = integer(field(json, "pixels", name), name + ".pixels", {0, kMostPixels});
  const auto& in_sample = field(json, "in_sample", name);
  if (!in_sample.is_boolean()) {
    throw FieldFault(name + ".in_sample is neither true nor false");
  }
  alarms.in_sample = in_sample.get<bool>();
  alarms.pixel = rate_from(field(json, "pixel", name), name + ".pixel");
  if (const auto& cube = field(json, "cube", name); !cube.is_null()) {
    alarms.cube = rate_from(cube, name + ".cube");
  }
  return alarms;
}

std::string fault_of(const std::optional<ScoreCalibration>& calibration, Calibration asked_for) {
  if (kind_of(calibration) != asked_for) {
    return "its calibration is not the one that its configuration asks for";
  }
  return calibration && !is_usable(*calibration) ? "its score calibration holds impossible values" : "";
}

std::string fault_of_quantiles(const std::vector<double>& quantiles) {
  if (quantiles.size() != std::size(kQuantileLevels)) {
    return text::concat("it has ", quantiles.size(), " score quantiles instead of ",
                        std::size(kQuantileLevels));
  }
  const bool finite =
      std::all_of(quantiles.begin(), quantiles.end(), [](double q) { return std::isfinite(q); });
  return finite && std::is_sorted(quantiles.begin(), quantiles.end())
             ? ""
             : "its score quantiles are not finite and ascending";
}

/// What is wrong with the numbers that scores are judged by, or "".
std::string fault_of_judgement(const FittedModel& model) {
  if (!std::isfinite(model.threshold)) {
    return "its threshold is not finite";
  }
  if (!std::isfinite(model.min_evidence) || model.min_evidence < 0) {
    return "the evidence that it asks of a defect is not a finite number of at least 0";
  }
  const auto fault = fault_of(model.calibration, model.config.score.calibration);
  return fault.empty() ? fault_of_quantiles(model.score_quantiles) : fault;
}

/// The model without the values of its tensors.
FittedModel from_metadata(const std::filesystem::path& path, const Metadata& metadata) {
  FittedModel model;
  schema_of(model.config).read_text(metadata.text("configuration"), path.string(), path.parent_path());
  // Which drivers are trusted is for the user to say, not for a model that may come from elsewhere.
  model.config.data.drivers.clear();
  // The references of the training say nothing about cubes that are recorded later.
  model.config.data.white.clear();
  model.config.data.dark.clear();
  model.threshold = number(metadata.json("threshold"), "threshold");
  if (metadata.has("min_evidence")) {
    model.min_evidence = number(metadata.json("min_evidence"), "min_evidence");
    model.false_alarms = false_alarms_from(metadata.json("false_alarms"));
  }
  model.score_quantiles = numbers(metadata.json("score_quantiles"), "score_quantiles");
  model.calibration = calibration_from(metadata.json("score_calibration"));
  model.training_cubes = integer(metadata.json("training_cubes"), "training_cubes", {1, kMostCubes});
  model.training_valid_share = number(metadata.json("training_valid_share"), "training_valid_share", {0, 1});
  model.trained_on_reflectance = trained_on_reflectance(metadata);
  model.training = metadata.text("training", kLongestName);
  model.version = metadata.text("version", kLongestName);
  const auto bands = bands_from(metadata.json("bands"));
  if (automatic_region(model.config.data.region)) {
    model.product = split_from(metadata.json("product"), bands.count);
  }
  model.detector = std::make_shared<detector::Pipeline>(model.config.detector, bands);
  if (metadata.has("drift")) {
    model.drift = drift_from(metadata.json("drift"), bands.count);
  }
  return model;
}

/// Memory for the detector that these tensors are said to fill: it must not need more than they and, while it
/// is made, a second copy of each.
std::uint64_t memory_for(const std::map<std::string, torch::Tensor>& tensors) {
  constexpr std::uint64_t kWorkspace = 64 << 20;
  std::uint64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    bytes += tensor.nbytes();
  }
  return 2 * bytes + kWorkspace;
}

/// A configuration may have many faults, one a line.
std::string first_of(const std::string& faults) {
  const auto end = faults.find('\n');
  return faults.substr(0, end) + (end != std::string::npos ? "; and more" : "");
}

ModelError damaged(const std::filesystem::path& path, const std::string& what) {
  return ModelError(
      text::concat(path.string(), ": is a damaged model file (", what, ")", model::kTrainAgain));
}

FittedModel described_by(const std::filesystem::path& path, const model::TensorFile& header) {
  const model::AllocationLimit limit(memory_for(header.tensors));
  try {
    check_format(path, header.metadata);
    return from_metadata(path, Metadata(header.metadata));
  } catch (const ModelError&) {
    throw;
  } catch (const FieldFault& fault) {
    throw damaged(path, text::concat("its metadata: ", fault.what()));
  } catch (const model::AllocationRefused&) {
    throw damaged(path, "its configuration describes a larger model than its tensors hold");
  } catch (const Error& fault) {
    throw ModelError(text::concat(
        path.string(), ": its configuration is not one that this program reads: ", first_of(fault.what())));
  } catch (const std::exception&) {
    throw damaged(path, "its configuration describes a model that cannot be built");
  }
}

void refuse_fault(const std::string& what_failed, const std::string& fault) {
  if (!fault.empty()) {
    throw InputError(text::concat(what_failed, ": ", fault, "; look for extreme values in the cubes"));
  }
}

}  // namespace

std::string fault_of(const FittedModel& model) {
  const auto fault = fault_of_judgement(model);
  return fault.empty() ? model::value_faults(model::state_of(*model.detector)) : fault;
}

void set_threshold(FittedModel& model, const torch::Tensor& scores) {
  if (model.config.score.calibration == Calibration::false_alarm_probability) {
    model.calibration = false_alarm_calibration(scores);
  } else if (model.config.score.calibration == Calibration::mad) {
    model.calibration = mad_calibration(scores);
  }
  const auto judged = calibrated(scores, model);
  model.threshold = threshold_from(judged, model.config.threshold);
  model.min_evidence = model.config.threshold.method == ThresholdMethod::false_alarm_rate
                           ? 0.0
                           : min_evidence_from(model.config.threshold, model.threshold);
  model.score_quantiles =
      metric::quantiles_of(judged, {std::begin(kQuantileLevels), std::end(kQuantileLevels)});
  refuse_fault("the scores give no threshold", fault_of_judgement(model));
}

torch::Tensor calibrated(const torch::Tensor& scores, const FittedModel& model) {
  return model.calibration ? calibrated(scores, *model.calibration) : scores;
}

void save_model(const std::filesystem::path& path, const FittedModel& model) {
  refuse_fault("training failed", fault_of(model));
  auto config = model.config;
  model::TensorFile file;
  file.tensors = model::state_of(*model.detector);
  file.metadata = {{"format", kFormat},
                   {"format_version", std::to_string(kFormatVersion)},
                   {"version", version()},
                   {"configuration", schema_of(config).to_yaml([](const config::SectionTraits& traits) {
                      return traits.travels_with_model;
                    })},
                   {"bands", bands_json(model.detector->bands())},
                   {"threshold", nlohmann::json(model.threshold).dump()},
                   {"min_evidence", nlohmann::json(model.min_evidence).dump()},
                   {"false_alarms", false_alarms_json(model.false_alarms)},
                   {"drift", drift_text(model.drift)},
                   {"score_calibration", calibration_json(model.calibration)},
                   {"score_quantiles", nlohmann::json(model.score_quantiles).dump()},
                   {"training", model.training},
                   {"training_cubes", std::to_string(model.training_cubes)},
                   {"training_valid_share", nlohmann::json(model.training_valid_share).dump()},
                   {"seed", std::to_string(config.run.seed)}};
  if (model.trained_on_reflectance) {
    file.metadata[kValues] = *model.trained_on_reflectance ? kReflectance : kFileUnits;
  }
  if (automatic_region(config.data.region)) {
    file.metadata["product"] = split_json(model.product);
  }
  model::add_checksum(file);
  model::write_tensors(path, file);
}

FittedModel load_model(const std::filesystem::path& path) {
  const auto header = model::read_header(path);
  auto model = described_by(path, header);
  model::check_state(*model.detector, header.tensors, path.string());
  const auto file = model::read_tensors(path);
  model::load_state(*model.detector, file.tensors, path.string());
  if (const auto fault = fault_of(model); !fault.empty()) {
    throw damaged(path, fault);
  }
  if (!model::has_right_checksum(file)) {
    throw damaged(path, "its checksum does not match its content");
  }
  model.fingerprint = fingerprint_of(path);
  return model;
}

}  // namespace hyperdefect::model
