// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/dual_window.h"

#include <algorithm>

namespace hyperdefect::image {
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
  if (length == 0) {
    return maps;
  }
  const auto reach = side / 2;
  const auto running = maps.cumsum(axis);
  // Before the first pixel the running sum is zero, behind the last one it stays what it is there.
  auto shape = maps.sizes().vec();
  shape[static_cast<std::size_t>(axis)] = reach + 1;
  const auto before = torch::zeros({1}, maps.options()).expand(shape);
  shape[static_cast<std::size_t>(axis)] = reach;
  const auto behind = running.narrow(axis, length - 1, 1).expand(shape);
  const auto endless = torch::cat({before, running, behind}, axis);
  return endless.narrow(axis, side, length) - endless.narrow(axis, 0, length);
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

}  // namespace hyperdefect::image
