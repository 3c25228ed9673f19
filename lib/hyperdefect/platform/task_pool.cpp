// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/platform/task_pool.h"

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>

namespace hyperdefect::platform {

TaskPool::TaskPool(torch::Device device) : device_(device), threads_(at::get_num_threads()) {}

TaskPool::~TaskPool() {
  at::set_num_threads(static_cast<int>(threads_));
}

std::int64_t TaskPool::at_once(std::size_t tasks) const {
  return device_.is_cpu() ? std::min(static_cast<std::int64_t>(tasks), threads_) : 1;
}

void TaskPool::run(const std::vector<std::function<void()>>& tasks) {
  if (tasks.empty()) {
    return;
  }
  const auto at_once = this->at_once(tasks.size());
  share_out(at_once);
  std::atomic<std::size_t> next{0};
  std::vector<std::exception_ptr> thrown(tasks.size());
  const auto work = [&] {
    for (auto i = next++; i < tasks.size(); i = next++) {
      try {
        tasks[i]();
      } catch (...) {
        thrown[i] = std::current_exception();
      }
    }
  };
  const at::ThreadLocalState caller;
  std::vector<std::thread> helpers;
  for (std::int64_t i = 1; i < at_once; ++i) {
    try {
      helpers.emplace_back([&] {
        const at::ThreadLocalStateGuard as_caller(caller);
        work();
      });
    } catch (const std::system_error&) {
      break;  // The system gives no more threads: those that there are do all tasks.
    }
  }
  work();
  std::for_each(helpers.begin(), helpers.end(), [](std::thread& helper) { helper.join(); });
  const auto first =
      std::find_if(thrown.begin(), thrown.end(), [](const auto& what) { return what != nullptr; });
  if (first != thrown.end()) {
    std::rethrow_exception(*first);
  }
}

/// A new thread takes over the number of threads that was set last, at its first operation.
void TaskPool::share_out(std::int64_t at_once) {
  const auto share = static_cast<int>(threads_ / at_once);
  if (at::get_num_threads() != share) {
    at::set_num_threads(share);
  }
}

}  // namespace hyperdefect::platform
