// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "hyperdefect/files/find_cubes.h"

namespace hyperdefect::app {

/// The cubes that the inputs of a command name; what was left out on purpose is said in one line. Ends when a
/// signal asks for it. @throws InputError, Interrupted
std::vector<files::CubeInput> find_inputs(const std::vector<std::string>& inputs);

}  // namespace hyperdefect::app
