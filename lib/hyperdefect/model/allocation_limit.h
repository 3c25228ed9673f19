// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/types.h>

#include <cstdint>
#include <stdexcept>

namespace hyperdefect::model {

/// What AllocationLimit throws out of the code that it watches.
class AllocationRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// While it lives, the tensors that are made in this thread may not hold more than so many bytes of memory at
/// a time: the one that would pass the limit throws AllocationRefused, before its memory is touched. For code
/// that makes what a file asks for, such as a network of the sizes that a model file states.
///
///     const AllocationLimit limit(file_bytes);
///     const detector::Pipeline pipeline(options_of_the_file, bands_of_the_file);
class AllocationLimit {
 public:
  explicit AllocationLimit(std::uint64_t bytes);

 private:
  c10::DebugInfoGuard guard_;
};

}  // namespace hyperdefect::model
