// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/drift_fields.h"

#include <algorithm>
#include <vector>

#include "hyperdefect/core/text.h"

namespace hyperdefect::model {
namespace {

constexpr const char* kName = "drift";
constexpr std::int64_t kMostParts = 1'000'000'000;

std::vector<double> values_of(const nlohmann::json& json, const char* key, std::size_t count,
                              const NumberRange& range) {
  const auto name = text::concat(kName, '.', key);
  auto values = numbers(field(json, key, kName), name, range);
  if (values.size() != count) {
    throw FieldFault(text::concat(name, " has ", values.size(), " elements instead of ", count));
  }
  return values;
}

std::array<double, kDriftFeatures> features_from(const nlohmann::json& json, const char* key,
                                                 const NumberRange& range) {
  const auto values = values_of(json, key, kDriftFeatures, range);
  std::array<double, kDriftFeatures> features{};
  std::copy(values.begin(), values.end(), features.begin());
  return features;
}

}  // namespace

std::string drift_text(const std::optional<DriftReference>& reference) {
  if (!reference) {
    return "null";
  }
  return nlohmann::json{{"count", reference->count},
                        {"mean", reference->mean},
                        {"deviation", reference->deviation},
                        {"log_spectrum", reference->log_spectrum}}
      .dump();
}

std::optional<DriftReference> drift_from(const nlohmann::json& json, std::int64_t bands) {
  if (json.is_null()) {
    return std::nullopt;
  }
  DriftReference reference;
  reference.count = integer(field(json, "count", kName), "drift.count",
                            {static_cast<double>(kLeastForDrift), static_cast<double>(kMostParts)});
  reference.mean = features_from(json, "mean", kAnyNumber);
  reference.deviation = features_from(json, "deviation", {kPositive, kLargest});
  reference.log_spectrum = values_of(json, "log_spectrum", static_cast<std::size_t>(bands), kAnyNumber);
  return reference;
}

}  // namespace hyperdefect::model
