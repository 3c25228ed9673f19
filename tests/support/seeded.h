// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <cstdint>

namespace hyperdefect::test {

/// A generator of the CPU with a sequence of its own.
inline at::Generator seeded(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

}  // namespace hyperdefect::test
