// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/precision.h"

namespace hyperdefect::nn {

Precision::Precision(Arithmetic arithmetic, torch::Device device)
    : device_(device),
      was_cast_(at::autocast::is_autocast_enabled(device.type())),
      earlier_type_(at::autocast::get_autocast_dtype(device.type())) {
  at::autocast::set_autocast_enabled(device_.type(), arithmetic == Arithmetic::bfloat16);
  at::autocast::set_autocast_dtype(device_.type(), at::kBFloat16);
  at::autocast::increment_nesting();
  // The setting is one for all threads: only where networks do not learn side by side may it change.
  if (device_.is_cuda()) {
    was_rounded_ = at::globalContext().allowTF32CuDNN();
    at::globalContext().setAllowTF32CuDNN(false);
  }
}

Precision::~Precision() {
  // The cache holds casts of weights: they must not outlive the step that changes the weights.
  if (at::autocast::decrement_nesting() == 0) {
    at::autocast::clear_cache();
  }
  at::autocast::set_autocast_enabled(device_.type(), was_cast_);
  at::autocast::set_autocast_dtype(device_.type(), earlier_type_);
  if (device_.is_cuda()) {
    at::globalContext().setAllowTF32CuDNN(was_rounded_);
  }
}

}  // namespace hyperdefect::nn
