// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hyperdefect/model/drift.h"
#include "hyperdefect/model/json_fields.h"

// A DriftReference in the metadata of a model file.

namespace hyperdefect::model {

/// JSON; "null" if there is none.
std::string drift_text(const std::optional<DriftReference>& reference);
/// @throws FieldFault if it is not what drift_text() writes, for a model of so many bands.
std::optional<DriftReference> drift_from(const nlohmann::json& json, std::int64_t bands);

}  // namespace hyperdefect::model
