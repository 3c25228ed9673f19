// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/platform/device.h"

#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include "hyperdefect/core/error.h"
#include "hyperdefect/platform/processors.h"

namespace hyperdefect::platform {

torch::Device device_of(DeviceChoice choice) {
  const bool has_cuda = torch::cuda::is_available();
  if (choice == DeviceChoice::cuda && !has_cuda) {
    throw UsageError("run.device is cuda, but this LibTorch finds no CUDA device: choose auto or cpu");
  }
  return choice == DeviceChoice::cpu || !has_cuda ? torch::kCPU : torch::kCUDA;
}

std::int64_t use_threads(std::int64_t threads) {
  if (threads <= 0) {
    threads = usable_processors();
  }
  at::set_num_threads(static_cast<int>(threads));
  return threads;
}

}  // namespace hyperdefect::platform
