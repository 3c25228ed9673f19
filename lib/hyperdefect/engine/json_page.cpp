// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/json_page.h"

#include "hyperdefect/core/utf8.h"

namespace hyperdefect::engine {
namespace {

using Json = nlohmann::ordered_json;

/// The same with all texts as UTF-8.
Json in_utf8(const Json& json) {
  if (json.is_string()) {
    return text::valid_utf8(json.get_ref<const std::string&>());
  }
  if (!json.is_structured()) {
    return json;
  }
  auto result = json.is_object() ? Json::object() : Json::array();
  for (const auto& item : json.items()) {
    if (json.is_object()) {
      result[text::valid_utf8(item.key())] = in_utf8(item.value());
    } else {
      result.push_back(in_utf8(item.value()));
    }
  }
  return result;
}

}  // namespace

std::string json_page(const Json& json) {
  return in_utf8(json).dump(2) + '\n';
}

}  // namespace hyperdefect::engine
