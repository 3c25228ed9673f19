// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/types.h>

#include "hyperdefect/nn/choices.h"

namespace hyperdefect::nn {

/// While it lives, networks on its device compute in this arithmetic: in bfloat16
/// convolutions and matrix products are cast down, weights stay float32; float32 is float32 on a CUDA
/// device too, where cuDNN would round it to TF32, 10 bits, and scores would depend on the size of a window.
///
///     torch::Tensor y;
///     {
///       const Precision precision(Arithmetic::bfloat16, torch::kCPU);
///       y = network(x);
///     }  // from here on as before
class Precision {
 public:
  Precision(Arithmetic arithmetic, torch::Device device);
  ~Precision();
  Precision(const Precision&) = delete;
  Precision& operator=(const Precision&) = delete;

 private:
  torch::Device device_;
  bool was_cast_;
  at::ScalarType earlier_type_;
  bool was_rounded_ = false;
};

}  // namespace hyperdefect::nn
