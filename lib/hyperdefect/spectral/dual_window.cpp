// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/dual_window.h"

#include <algorithm>

namespace hyperdefect::spectral {
namespace {

void check(const torch::Tensor& maps, const DualWindow& window) {
  TORCH_CHECK(maps.dim() == 3, "dual window: expected maps (n, rows, cols), got ", maps.sizes());
  TORCH_CHECK(window.is_sound(), "dual window: expected odd sides, the inner one smaller, got ",
              window.inner_px, " and ", window.outer_px);
}

/// Sums over windows of this side along one axis, from running sums: the same time for any side. In double
/// they do not depend on where a tile begins.
torch::Tensor line_sums(const torch::Tensor& maps, std::int64_t side, std::int64_t axis) {
  const auto length = maps.size(axis);
  const auto places = torch::arange(length, maps.options().dtype(torch::kLong));
  const auto begin = (places - side / 2).clamp_min(0);
  const auto end = (places + side / 2 + 1).clamp_max(length);
  auto shape = maps.sizes().vec();
  shape[static_cast<std::size_t>(axis)] = 1;
  const auto running = torch::cat({torch::zeros(shape, maps.options()), maps.cumsum(axis)}, axis);
  return running.index_select(axis, end) - running.index_select(axis, begin);
}

torch::Tensor box_sums(const torch::Tensor& maps, std::int64_t side) {
  return line_sums(line_sums(maps, side, 1), side, 2);
}

}  // namespace

torch::Tensor background_sums(const torch::Tensor& maps, const DualWindow& window) {
  check(maps, window);
  const auto precise = maps.to(torch::kDouble);
  return box_sums(precise, window.outer_px) - box_sums(precise, window.inner_px);
}

torch::Tensor background_pixels(const torch::Tensor& maps, const DualWindow& window, std::int64_t row,
                                std::int64_t row_count) {
  check(maps, window);
  const auto reach = window.reach_px();
  const auto guard = window.inner_px / 2;
  const auto padded = torch::constant_pad_nd(maps, {reach, reach, reach, reach});
  std::vector<torch::Tensor> shifted;
  for (auto down = -reach; down <= reach; ++down) {
    for (auto right = -reach; right <= reach; ++right) {
      if (std::max(std::abs(down), std::abs(right)) > guard) {
        shifted.push_back(padded.narrow(1, reach + row + down, row_count)
                              .narrow(2, reach + right, maps.size(2))
                              .flatten(1));
      }
    }
  }
  return torch::stack(shifted, 1);
}

}  // namespace hyperdefect::spectral
