// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdlib>

namespace hyperdefect::test {

/// The device that tests compute on: HYPERDEFECT_TEST_DEVICE ("cpu", "cuda"), else the CPU.
inline torch::Device test_device() {
  const char* set = std::getenv("HYPERDEFECT_TEST_DEVICE");
  return {set != nullptr ? set : "cpu"};
}

/// Options of a double tensor on the test device, in which finite differences are exact enough.
inline torch::TensorOptions doubles() {
  return torch::TensorOptions(torch::kDouble).device(test_device());
}

}  // namespace hyperdefect::test
