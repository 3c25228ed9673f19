// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::nn {

/// Refuses what is not a non-empty feature map (N, channels, H, W); the message names the module, what it
/// expected and what it got.
void check_features(const torch::Tensor& x, std::int64_t channels, const char* module);

/// Refuses options of a module that are not all at least one.
void check_positive(std::initializer_list<std::int64_t> values, const char* module, const char* what);

}  // namespace hyperdefect::nn
