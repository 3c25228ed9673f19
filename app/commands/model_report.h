// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "hyperdefect/model/fitted_model.h"

namespace hyperdefect::app {

/// What is said of a model when its threshold was set: how it was set, and its measured false alarms.
std::string text_report(const std::string& file, const model::FittedModel& model);

/// The same as a page of JSON.
std::string json_report(const std::string& file, const model::FittedModel& model);

/// The measured false alarms; null if they were not measured.
nlohmann::ordered_json false_alarms_json(const model::FittedModel& model);

}  // namespace hyperdefect::app
