// SPDX-License-Identifier: Apache-2.0
#include "app/cli/inputs.h"

#include <utility>

#include "app/cli/signals.h"
#include "hyperdefect/core/log.h"

namespace hyperdefect::app {

std::vector<files::CubeInput> find_inputs(const std::vector<std::string>& inputs) {
  auto found = files::find_cubes(inputs, stop_requested);
  if (!found.left_out.empty()) {
    log::info(files::describe(found.left_out));
  }
  return std::move(found.cubes);
}

}  // namespace hyperdefect::app
