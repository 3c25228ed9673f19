// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hyperdefect/model/run_config.h"

namespace hyperdefect::model {

/// Looks for keys that contradict each other, such as a number of weights that is not that of the detectors.
///
///     RunConfig config;
///     read_built_in("one_class", config);
///     file_schema_of(config).read_file("my.yaml");
///     check_config(config);
///
/// @throws ConfigError naming them.
void check_config(const RunConfig& config);

}  // namespace hyperdefect::model
