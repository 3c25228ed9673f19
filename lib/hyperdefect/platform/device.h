// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::platform {

/// Where networks compute; automatic is a CUDA device if there is one.
enum class DeviceChoice { automatic, cpu, cuda };

/// The device that this choice means here. @throws UsageError for cuda if LibTorch finds none.
torch::Device device_of(DeviceChoice choice);

/// Sets the number of threads that tensors are computed with (0: usable_processors()) and returns it.
std::int64_t use_threads(std::int64_t threads);

}  // namespace hyperdefect::platform
