// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/side_by_side.h"

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <algorithm>

namespace hyperdefect::model {

void side_by_side(torch::Device device, std::int64_t count, const std::function<void(std::int64_t)>& task) {
  if (at_once(device, count) <= 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      task(i);
    }
    return;
  }
  const at::ThreadLocalState caller;
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::ThreadLocalStateGuard as_caller(caller);
    for (auto i = begin; i < end; ++i) {
      task(i);
    }
  });
}

std::int64_t at_once(torch::Device device, std::int64_t count) {
  return device.is_cpu() ? std::min<std::int64_t>(count, at::get_num_threads()) : 1;
}

}  // namespace hyperdefect::model
