// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/common_options.h"
#include "app/cli/console.h"
#include "app/cli/program.h"
#include "app/commands/commands.h"
#include "app/commands/model_report.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/decision/false_alarm_rates.h"
#include "hyperdefect/engine/json_page.h"
#include "hyperdefect/engine/references.h"
#include "hyperdefect/format/cube_info.h"
#include "hyperdefect/model/fitted_model.h"

namespace hyperdefect::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLabelWidth = 18;

struct InfoOptions {
  CommonOptions common;
  std::vector<std::string> files;
  bool json = false;
};

/// One thing to know about a file: its key and value in JSON, and its words for a person ("": not shown).
struct Fact {
  std::string key;
  Json value;
  std::string words;
};
using Facts = std::vector<Fact>;

Fact fact(const std::string& key, const std::string& value) {
  return {key, value, text::printable(value)};
}
Fact fact(const std::string& key, std::int64_t value) {
  return {key, value, std::to_string(value)};
}

/// "400 to 1000 nm", or one number where all are equal.
std::string range_words(const std::vector<double>& values, const std::string& unit) {
  if (values.empty()) {
    return {};
  }
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const auto first = text::to_text(*least);
  return (*least < *most ? text::concat(first, " to ", text::to_text(*most)) : first) + unit;
}

std::vector<std::int64_t> bad_bands(const spectral::Bands& bands) {
  std::vector<std::int64_t> bad;
  for (std::int64_t band = 0; band < bands.count; ++band) {
    if (!bands.is_good(band)) {
      bad.push_back(band);
    }
  }
  return bad;
}

std::string bad_bands_words(const std::vector<std::int64_t>& bad) {
  std::vector<std::string> numbers;
  for (const auto band : bad) {
    numbers.push_back(std::to_string(band));
  }
  return bad.empty() ? "" : text::concat(bad.size(), ", counted from 0: ", text::join(numbers, " "));
}

void add_bands(Facts& facts, const spectral::Bands& bands, const std::string& source) {
  const auto range = range_words(bands.wavelengths_nm, " nm");
  const auto origin = source.empty() || range.empty() ? "" : text::concat(" (", source, ")");
  facts.push_back(fact("bands", bands.count));
  facts.push_back({"wavelengths_nm", bands.wavelengths_nm, range.empty() ? "none" : range + origin});
  facts.push_back({"fwhm_nm", bands.fwhm_nm, range_words(bands.fwhm_nm, " nm")});
}

void add_georeference(Facts& facts, const format::Georeference& place) {
  const auto& wkt = place.wkt.empty() ? place.gcp_wkt : place.wkt;
  const auto crs = format::crs_name(wkt);
  facts.push_back({"crs", crs.empty() ? Json(nullptr) : Json(crs), place.empty() ? "no georeference" : crs});
  facts.push_back({"crs_wkt", wkt, ""});
  if (place.transform) {
    const auto& t = *place.transform;
    const double width = std::hypot(t[1], t[4]);
    const double height = std::hypot(t[2], t[5]);
    facts.push_back(
        {"pixel_size", {width, height}, text::concat(text::to_text(width), " x ", text::to_text(height))});
  }
  if (!place.gcps.empty()) {
    facts.push_back(fact("control_points", static_cast<std::int64_t>(place.gcps.size())));
  }
}

std::string bytes_words(std::uintmax_t bytes) {
  const double megabytes = static_cast<double>(bytes) / 1e6;
  return megabytes < 1 ? text::concat(bytes)
                       : text::concat(bytes, " (", std::round(megabytes * 10) / 10, " MB)");
}

/// One number, or a list with one entry a band if they differ.
Fact no_data_of(const format::CubeInfo& info) {
  const auto json = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  if (info.band_no_data.empty()) {
    return {"no_data", json(info.no_data), info.no_data ? text::to_text(*info.no_data) : ""};
  }
  auto list = Json::array();
  for (const auto& value : info.band_no_data) {
    list.push_back(json(value));
  }
  return {"no_data", list, text::concat("differs from band to band: ", list.dump())};
}

/// What a run would read: the values of the file, or reflectance by the references beside it.
void add_values(Facts& facts, const format::CubeInfo& info) {
  engine::Reflectance reflectance;
  std::string fault;
  try {
    reflectance = engine::reflectance_of(info, {});
  } catch (const Error& reason) {
    fault = reason.what();
  }
  const auto& [references, converter] = reflectance;
  if (!fault.empty()) {
    facts.push_back({"values", nullptr, text::concat("cannot be converted to reflectance: ", fault)});
    facts.push_back({"reference_error", fault, ""});
  } else if (converter) {
    const bool scaled = !(info.scale.empty() && info.offset.empty());
    facts.push_back({"values", "reflectance",
                     text::concat("reflectance, with the references next to the cube",
                                  scaled ? "; scale and offset are not applied" : "")});
  } else {
    facts.push_back({"values", "file_units", "in the units of the file; no white reference is applied"});
  }
  facts.push_back(fact("white_reference", references.white.string()));
  facts.push_back(fact("dark_reference", references.dark.string()));
  const auto dead = converter ? converter->dead_elements() : 0;
  facts.push_back(
      {"dead_elements", dead, converter ? text::concat(dead, " of ", converter->elements()) : ""});
}

Facts facts_of_cube(const std::string& file) {
  const auto info = format::read_cube_info(file);
  const auto bytes = std::filesystem::file_size(info.path);
  const auto bad = bad_bands(info.bands);
  Facts facts{fact("kind", "cube"),
              fact("data_file", info.path.string()),
              fact("header", info.header.string()),
              fact("driver", info.driver),
              fact("rows", info.rows),
              fact("cols", info.cols)};
  add_bands(facts, info.bands, info.wavelength_source);
  facts.push_back({"wavelength_source", info.wavelength_source, ""});
  facts.push_back({"bad_bands", bad, bad_bands_words(bad)});
  facts.push_back(fact("data_type", info.data_type));
  facts.push_back(fact("interleave", format::to_string(info.interleave)));
  facts.push_back({"bytes", bytes, bytes_words(bytes)});
  facts.push_back(no_data_of(info));
  facts.push_back({"scale", info.scale, range_words(info.scale, "")});
  facts.push_back({"offset", info.offset, range_words(info.offset, "")});
  add_values(facts, info);
  add_georeference(facts, info.georeference);
  return facts;
}

Fact quantiles_of(const model::FittedModel& model) {
  Json json = Json::object();
  std::vector<std::string> words;
  const auto levels = std::min(std::size(model::kQuantileLevels), model.score_quantiles.size());
  for (std::size_t i = 0; i < levels; ++i) {
    const auto level = text::to_text(model::kQuantileLevels[i]);
    json[level] = model.score_quantiles[i];
    words.push_back(text::concat(level, ": ", model.score_quantiles[i]));
  }
  return {"score_quantiles", json, text::join(words, "  ")};
}

/// The settings that are not the defaults: what makes this model different from another.
Fact settings_of(model::RunConfig& config) {
  model::RunConfig defaults;
  const auto before = model::schema_of(defaults).keys();
  const auto keys = model::schema_of(config).keys();
  Json json = Json::object();
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].value_text != before[i].value_text) {
      json[keys[i].name] = keys[i].value_text;
      lines.push_back(text::concat(keys[i].name, ": ", keys[i].value_text));
    }
  }
  return {"settings", json, lines.empty() ? "the defaults" : text::join(lines, "\n")};
}

/// What the model was trained on, and so what it takes.
Fact values_of(const model::FittedModel& model) {
  if (!model.trained_on_reflectance) {
    return {"values", nullptr, "not stated: the model is of an earlier version"};
  }
  return *model.trained_on_reflectance
             ? Fact{"values", "reflectance", "reflectance, by white and dark references"}
             : Fact{"values", "file_units", "in the units of the files, without references"};
}

Facts facts_of_model(const std::string& file) {
  auto model = model::load_model(file);
  Facts facts{fact("kind", "model"),
              fact("detector", model.config.detector.name),
              fact("version", model.version),
              fact("fingerprint", model.fingerprint),
              fact("training_cubes", model.training_cubes),
              values_of(model),
              {"threshold", model.threshold,
               text::concat(model.threshold, " (", model::to_string(model.config.threshold.method), ")")},
              {"threshold_method", model::to_string(model.config.threshold.method), ""},
              fact("min_evidence", model.min_evidence),
              {"false_alarms", false_alarms_json(model),
               model.false_alarms ? decision::in_words(*model.false_alarms) : "not measured"},
              {"drift", drift_json(model), drift_in_words(model)},
              quantiles_of(model)};
  add_bands(facts, model.detector->bands(), "");
  const auto summary = model.detector->summary();
  facts.push_back({"summary", summary, summary});
  facts.push_back({"configuration_yaml", model::schema_of(model.config).to_yaml(), ""});
  facts.push_back(settings_of(model.config));
  return facts;
}

Facts facts_of(const std::string& file) {
  return text::ends_with_ignoring_case(file, ".safetensors") ? facts_of_model(file) : facts_of_cube(file);
}

Json to_json(const std::string& file, const Facts& facts) {
  Json json{{"file", file}};
  for (const auto& fact : facts) {
    json[fact.key] = fact.value;
  }
  return json;
}

/// A fact's key in words, without the unit that its value states.
std::string label_of(const std::string& key) {
  auto label = key.ends_with("_nm") ? key.substr(0, key.size() - 3) : key;
  std::replace(label.begin(), label.end(), '_', ' ');
  label.resize(std::max(kLabelWidth, label.size() + 2), ' ');
  return label;
}

/// A line a fact; what has several lines of words is indented below its label.
std::string to_text(const std::string& file, const Facts& facts) {
  std::string page = text::printable(file) + '\n';
  for (const auto& fact : facts) {
    auto label = label_of(fact.key);
    std::istringstream words(fact.words);
    for (std::string line; std::getline(words, line);) {
      page += text::concat("  ", label, text::printable(line), '\n');
      label.assign(kLabelWidth, ' ');
    }
  }
  return page;
}

/// What a file is, or the reason why that cannot be told.
struct Told {
  std::string file;
  Facts facts;
  std::string error;
};

/// With one file its error is the command's.
Told tell(const std::string& file, bool is_only_one) {
  try {
    return {file, facts_of(file), {}};
  } catch (const Error& reason) {
    if (is_only_one) {
      throw;
    }
    return {file, {}, reason.what()};
  } catch (const std::exception& reason) {
    if (is_only_one) {
      throw;
    }
    return {file, {}, text::concat(file, ": ", foreign_message(reason))};
  }
}

/// Shows every file that can be shown.
ExitCode run(const InfoOptions& options) {
  apply_log_options(options.common);
  Console console("read files");
  auto json = Json::array();
  std::int64_t failed = 0;
  for (std::size_t i = 0; i < options.files.size(); ++i) {
    if (console.stop_requested()) {
      throw Interrupted("stopped");
    }
    console.progress(
        {"read files", static_cast<std::int64_t>(i), static_cast<std::int64_t>(options.files.size()), {}});
    const auto told = tell(options.files[i], options.files.size() == 1);
    if (!told.error.empty()) {
      ++failed;
      log::error(told.error);
      json.push_back({{"file", told.file}, {"error", told.error}});
    } else if (options.json) {
      json.push_back(to_json(told.file, told.facts));
    } else {
      console.clear();
      std::cout << to_text(told.file, told.facts);
    }
  }
  console.clear();
  if (options.json) {
    std::cout << engine::json_page(json);
  }
  return failed > 0 ? ExitCode::partial : ExitCode::ok;
}

}  // namespace

void add_info(CLI::App& program, ExitCode& result) {
  auto options = std::make_shared<InfoOptions>();
  auto* command = program.add_subcommand("info", "Describe cubes and models.");
  command->add_option("FILE", options->files, "Cubes (data file or .hdr) and models (.safetensors).")
      ->required();
  command->add_flag("--json", options->json, "Print a JSON list with one entry per file.");
  add_log_options(*command, options->common);
  command->footer("Example: hyperdefect info scene.img");
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace hyperdefect::app
