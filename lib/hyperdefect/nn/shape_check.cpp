// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/shape_check.h"

#include <algorithm>

namespace hyperdefect::nn {

void check_features(const torch::Tensor& x, std::int64_t channels, const char* module) {
  TORCH_CHECK(x.defined(), module, ": expected (N, ", channels, ", H, W), got an undefined tensor");
  TORCH_CHECK(x.dim() == 4 && x.size(1) == channels && x.numel() > 0, module, ": expected (N, ", channels,
              ", H, W) with at least one pixel, got ", x.sizes());
}

void check_positive(std::initializer_list<std::int64_t> values, const char* module, const char* what) {
  const bool positive =
      std::all_of(values.begin(), values.end(), [](std::int64_t value) { return value > 0; });
  TORCH_CHECK(positive, module, ": ", what, " must be at least 1, got ", at::IntArrayRef(values));
}

}  // namespace hyperdefect::nn
