// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <string>

#include "hyperdefect/engine/run_config.h"

namespace hyperdefect::engine {

/// The device that "auto", "cpu" or "cuda" means here. @throws UsageError for cuda where LibTorch has none.
torch::Device device_named(const std::string& name);

/// Sets the number of threads that tensors are computed with (0: usable_processors()) and returns it.
std::int64_t use_threads(std::int64_t threads);

}  // namespace hyperdefect::engine
