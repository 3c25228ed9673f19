// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/pixel_sample.h"

#include <algorithm>
#include <cstdint>

namespace hyperdefect::model {
namespace {

constexpr std::int64_t kSampledPixels = 1 << 16;

}  // namespace

torch::Tensor sampled_pixels(const torch::Tensor& valid) {
  const auto pixels = valid.flatten().nonzero().flatten();
  const auto step = (pixels.numel() + kSampledPixels - 1) / kSampledPixels;
  return pixels.slice(0, 0, pixels.numel(), std::max<std::int64_t>(1, step));
}

torch::Tensor columns_at(const torch::Tensor& maps, const torch::Tensor& pixels) {
  return maps.flatten(-2).index_select(-1, pixels);
}

}  // namespace hyperdefect::model
