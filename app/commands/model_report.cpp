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

std::string text_report(const std::string& file, const model::FittedModel& model) {
  auto words = text::concat(text::printable(file), ": threshold ", fixed(model.threshold, 4), " (",
                            model::to_string(model.config.threshold.method), ')');
  if (model.min_evidence > 0) {
    words += text::concat(", a defect has evidence above ", fixed(model.min_evidence, 3));
  }
  words += '\n';
  return model.false_alarms ? words + decision::in_words(*model.false_alarms) : words;
}

std::string json_report(const std::string& file, const model::FittedModel& model) {
  return engine::json_page(Json{{"model", file},
                                {"threshold", model.threshold},
                                {"threshold_method", model::to_string(model.config.threshold.method)},
                                {"min_evidence", model.min_evidence},
                                {"false_alarms", false_alarms_json(model)}});
}

}  // namespace hyperdefect::app
