// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/json_fields.h"

#include <cmath>
#include <set>

#include "hyperdefect/core/text.h"

namespace hyperdefect::model {
namespace {

constexpr int kDeepest = 4;

/// "number from 0 to 1", "finite number above 0".
std::string number_words(const std::string& type, const NumberRange& range) {
  if (range.highest != kLargest) {
    return text::concat(type, " from ", range.lowest, " to ", range.highest);
  }
  if (range.lowest == -kLargest) {
    return text::concat("finite ", type);
  }
  return range.lowest > 0 ? text::concat("finite ", type, " above 0")
                          : text::concat("finite ", type, " of at least 0");
}

void check_range(double given, const std::string& name, const std::string& type, const NumberRange& range) {
  if (!(given >= range.lowest && given <= range.highest)) {
    throw FieldFault(text::concat(name, " is not a ", number_words(type, range)));
  }
}

}  // namespace

nlohmann::json json_from(const std::string& text, const std::string& name) {
  std::vector<std::set<std::string>> keys(1);
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kDeepest) {
      throw FieldFault(text::concat(name, " nests more than ", kDeepest, " levels deep"));
    }
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw FieldFault(text::concat(name, " holds a key twice"));
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception&) {
    throw FieldFault(text::concat(name, " is not JSON"));
  }
}

const nlohmann::json& field(const nlohmann::json& object, const char* key, const std::string& name) {
  if (!object.is_object() || !object.contains(key)) {
    throw FieldFault(text::concat(name, " lacks ", key));
  }
  return object.at(key);
}

double number(const nlohmann::json& value, const std::string& name, const NumberRange& range) {
  const double given = value.is_number() ? value.get<double>() : std::nan("");
  check_range(given, name, "number", range);
  return given;
}

std::int64_t integer(const nlohmann::json& value, const std::string& name, const NumberRange& range) {
  const double given = value.is_number_integer() ? value.get<double>() : std::nan("");
  check_range(given, name, "whole number", range);
  return value.get<std::int64_t>();
}

std::vector<double> numbers(const nlohmann::json& value, const std::string& name, const NumberRange& range) {
  if (!value.is_array()) {
    throw FieldFault(text::concat(name, " is not a list of numbers"));
  }
  std::vector<double> all;
  for (const auto& element : value) {
    all.push_back(number(element, text::concat("an element of ", name), range));
  }
  return all;
}

}  // namespace hyperdefect::model
