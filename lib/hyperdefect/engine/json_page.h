// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace hyperdefect::engine {

/// The JSON as it is printed or written, indented, with a line end. It is valid whatever bytes a file's name
/// or a header holds: a byte that is not UTF-8 becomes the text "\xNN" (text::valid_utf8), a number that is
/// not finite null.
std::string json_page(const nlohmann::ordered_json& json);

}  // namespace hyperdefect::engine
