// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/allocation_limit.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <torch/types.h>

#include <atomic>
#include <memory>

#include "hyperdefect/core/text.h"

namespace hyperdefect::model {
namespace {

/// LibTorch tells its memory profiler of each allocation; this one counts, and objects.
class Meter : public c10::MemoryReportingInfoBase {
 public:
  explicit Meter(std::uint64_t bytes) : limit_(static_cast<double>(bytes)) {}

  void reportMemoryUsage(void* memory, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
    const auto held = held_ += bytes;
    // What is given back is reported by destructors, which must not throw.
    if (bytes > 0 && static_cast<double>(held) > limit_) {
      give_back(memory);
      throw AllocationRefused(text::concat("more than ", limit_, " bytes of tensors"));
    }
  }
  bool memoryProfilingEnabled() const override { return true; }

 private:
  /// Nobody owns the memory yet, and nobody will. The deleter reports it, too.
  static void give_back(void* memory) {
    if (const auto deleter = c10::GetCPUAllocator()->raw_deleter()) {
      deleter(memory);
    }
  }

  double limit_;
  std::atomic<std::int64_t> held_ = 0;
};

}  // namespace

AllocationLimit::AllocationLimit(std::uint64_t bytes)
    : guard_(c10::DebugInfoKind::PROFILER_STATE, std::make_shared<Meter>(bytes)) {}

}  // namespace hyperdefect::model
