// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace hyperdefect::model {

/// What is wrong with JSON that a file of this program carries: "threshold is not a finite number".
class FieldFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A closed range of numbers.
struct NumberRange {
  double lowest;
  double highest;
};
/// Bounds of a range on one side: the least positive number, and the largest of all.
inline constexpr double kPositive = std::numeric_limits<double>::min();
inline constexpr double kLargest = std::numeric_limits<double>::max();
inline constexpr NumberRange kAnyNumber{-kLargest, kLargest};

/// The text as JSON. `name` is what a fault calls it, here and below.
/// @throws FieldFault if it is not JSON, nests more than 4 levels deep, or holds a key twice in one object.
nlohmann::json json_from(const std::string& text, const std::string& name);

/// A member of an object. @throws FieldFault if there is none, or it is not an object.
const nlohmann::json& field(const nlohmann::json& object, const char* key, const std::string& name);

/// Each takes nothing but what the name says, and that finite and in the range. @throws FieldFault
double number(const nlohmann::json& value, const std::string& name, const NumberRange& range = kAnyNumber);
std::int64_t integer(const nlohmann::json& value, const std::string& name, const NumberRange& range);
std::vector<double> numbers(const nlohmann::json& value, const std::string& name,
                            const NumberRange& range = kAnyNumber);

}  // namespace hyperdefect::model
