// SPDX-License-Identifier: Apache-2.0
#include "app/commands/model_report.h"

#include <nlohmann/json.hpp>

#include "app/cli/table.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/core/utf8.h"
#include "hyperdefect/decision/false_alarm_rates.h"
#include "hyperdefect/engine/json_page.h"

namespace hyperdefect::app {
namespace {

using Json = nlohmann::ordered_json;

Json rate_json(const model::FalseAlarmRate& rate) {
  const auto or_null = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  return {{"asked", or_null(rate.asked)},
          {"supported", or_null(rate.supported)},
          {"seen", rate.seen},
          {"interval_95", {rate.low, rate.high}}};
}

}  // namespace

Json drift_json(const model::FittedModel& model) {
  if (!model.drift) {
    return nullptr;
  }
  Json json{{"count", model.drift->count}, {"limit", model.config.drift.limit}};
  for (std::size_t i = 0; i < model::kDriftFeatures; ++i) {
    json[model::kDriftFeatureNames[i]] = {{"mean", model.drift->mean[i]},
                                          {"deviation", model.drift->deviation[i]}};
  }
  return json;
}

Json false_alarms_json(const model::FittedModel& model) {
  const auto& alarms = model.false_alarms;
  if (!alarms) {
    return nullptr;
  }
  return {{"cubes", alarms->cubes},
          {"pixels", alarms->pixels},
          {"in_sample", alarms->in_sample},
          {"pixel_rate", rate_json(alarms->pixel)},
          {"cube_rate", alarms->cube ? rate_json(*alarms->cube) : Json(nullptr)}};
}

std::string drift_in_words(const model::FittedModel& model) {
  if (!model.drift) {
    return "not known";
  }
  const double limit = model.config.drift.limit;
  return limit > 0 ? text::concat("a cube is undecided if it differs by about ",
                                  model::limits_in_words(*model.drift, limit), " (drift.limit ",
                                  text::two_digits(limit), ')')
                   : "is measured, but decides nothing (drift.limit is 0)";
}

std::string text_report(const std::string& file, const model::FittedModel& model) {
  auto words = text::concat(text::printable(file), ": threshold ", fixed(model.threshold, 4), " (",
                            model::to_string(model.config.threshold.method), ')');
  if (model.min_evidence > 0) {
    words += text::concat(", a defect has evidence above ", fixed(model.min_evidence, 3));
  }
  words += '\n' + (model.false_alarms ? decision::in_words(*model.false_alarms) : "");
  return model.drift ? text::concat(words, "drift: ", drift_in_words(model), '\n') : words;
}

std::string json_report(const std::string& file, const model::FittedModel& model) {
  return engine::json_page(Json{{"model", file},
                                {"threshold", model.threshold},
                                {"threshold_method", model::to_string(model.config.threshold.method)},
                                {"min_evidence", model.min_evidence},
                                {"false_alarms", false_alarms_json(model)},
                                {"drift", drift_json(model)}});
}

}  // namespace hyperdefect::app
