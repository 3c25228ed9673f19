// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hyperdefect/config/node.h"

namespace hyperdefect::config {

/// Each reads the node into `value`; they return what is wrong with it, or "" if it was read.
std::string read_scalar(const Node& node, bool& value);
std::string read_scalar(const Node& node, std::int64_t& value);
std::string read_scalar(const Node& node, double& value);
std::string read_scalar(const Node& node, std::string& value);

/// Each writes the value as YAML that reads back equal; texts are quoted if they could be taken for
/// something else.
std::string write_scalar(bool value);
std::string write_scalar(std::int64_t value);
std::string write_scalar(double value);
std::string write_scalar(const std::string& value);

}  // namespace hyperdefect::config
