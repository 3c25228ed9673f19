// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace hyperdefect::platform {

/// Calls tasks that do not depend on each other at the same time, each with an equal part of torch's threads.
///
/// Small networks take less time this way than one after the other with all threads each, which wait for each
/// other after every operation. One task alone has all threads. On a GPU they are called one after the other.
///
/// The threads are shared out at the first run() and stay so, for threads that have just worked spin for a
/// while and would take the tasks' time; the destructor gives them back.
class TaskPool {
 public:
  explicit TaskPool(torch::Device device);
  ~TaskPool();
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  /// How many of so many tasks are called at the same time.
  std::int64_t at_once(std::size_t tasks) const;

  /// Returns when all tasks have. They have the gradient mode of the caller; if some throw, what the first
  /// of them threw is thrown here.
  void run(const std::vector<std::function<void()>>& tasks);

 private:
  void share_out(std::int64_t at_once);

  torch::Device device_;
  std::int64_t threads_;
};

}  // namespace hyperdefect::platform
