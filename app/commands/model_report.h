// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "hyperdefect/model/fitted_model.h"

namespace hyperdefect::app {

/// What is said of a model when its threshold was set: how it was set, its measured false alarms, and by what
/// whole cubes may differ.
std::string text_report(const std::string& file, const model::FittedModel& model);

/// The last of these: from what on a cube is undecided, as a whole.
std::string drift_in_words(const model::FittedModel& model);

/// The text report as a page of JSON.
std::string json_report(const std::string& file, const model::FittedModel& model);

/// How whole cubes varied in training: count, and mean and deviation of each feature by its name; null if
/// that is not known.
nlohmann::ordered_json drift_json(const model::FittedModel& model);

/// The measured false alarms; null if they were not measured.
nlohmann::ordered_json false_alarms_json(const model::FittedModel& model);

}  // namespace hyperdefect::app
