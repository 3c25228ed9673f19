// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>

namespace hyperdefect::model {

/// Calls task(0) ... task(count - 1), which do not depend on each other, at the same time on as many threads
/// as torch has: each operation of a task then has one thread. Small networks take a third less time this way
/// than one after the other with all threads each, which wait for each other after every operation. One task
/// alone has all threads. On a GPU they run one after the other.
///
/// A task runs in the gradient mode of the caller; what it throws is thrown here.
void side_by_side(torch::Device device, std::int64_t count, const std::function<void(std::int64_t)>& task);

/// How many of so many tasks run at the same time.
std::int64_t at_once(torch::Device device, std::int64_t count);

}  // namespace hyperdefect::model
