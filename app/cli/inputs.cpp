// SPDX-License-Identifier: Apache-2.0
#include "app/cli/inputs.h"

#include <utility>

#include "app/cli/signals.h"
#include "hyperdefect/core/log.h"

namespace hyperdefect::app {

std::vector<io::CubeInput> find_inputs(const std::vector<std::string>& inputs) {
  auto found = io::find_cubes(inputs, stop_requested);
  if (!found.left_out.empty()) {
    log::info(io::describe(found.left_out));
  }
  return std::move(found.cubes);
}

}  // namespace hyperdefect::app
