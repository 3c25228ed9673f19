// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/image/pixel_hash.h"

namespace hyperdefect::image {
namespace {

/// The xor-shift-multiply steps of murmur3's finaliser on a tensor; int64 wraps as the mathematics want it.
torch::Tensor mixed(torch::Tensor bits) {
  const auto shifted_right = [](const torch::Tensor& value, std::int64_t by) {
    return value.bitwise_right_shift(by).bitwise_and((std::int64_t{1} << (64 - by)) - 1);
  };
  bits = bits.bitwise_xor(shifted_right(bits, 33)) * static_cast<std::int64_t>(0xff51afd7ed558ccdULL);
  bits = bits.bitwise_xor(shifted_right(bits, 33)) * static_cast<std::int64_t>(0xc4ceb9fe1a85ec53ULL);
  return bits.bitwise_xor(shifted_right(bits, 33));
}

}  // namespace

torch::Tensor pixel_hash(const Window& window, std::int64_t count, std::uint64_t seed) {
  const auto row = torch::arange(window.row, window.end_row(), torch::kLong).unsqueeze(1);
  const auto col = torch::arange(window.col, window.end_col(), torch::kLong).unsqueeze(0);
  const auto bits = mixed(row * (std::int64_t{1} << 32) + col).bitwise_xor(static_cast<std::int64_t>(seed));
  return mixed(bits).remainder(count);
}

}  // namespace hyperdefect::image
