// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <cmath>
#include <iostream>

#include "hyperdefect/core/version.h"
#include "hyperdefect/nn/residual_block.h"
#include "hyperdefect/spectral/angle.h"

namespace {

bool angle_is_right() {
  const double sad_rad = hyperdefect::spectral::spectral_angle(torch::tensor({0.4, 0.5, 0.6}),
                                                               torch::tensor({0.35, 0.55, 0.65}));
  return std::abs(sad_rad - 0.0836) < 1e-4;
}

bool block_halves_the_map() {
  hyperdefect::nn::ResidualBlock block(hyperdefect::nn::ResidualBlockOptions(4, 8).stride(2));
  return block(torch::randn({1, 4, 9, 6})).sizes() == torch::IntArrayRef({1, 8, 5, 3});
}

}  // namespace

int main() {
  std::cout << "hyperdefect " << hyperdefect::version() << '\n';
  return angle_is_right() && block_halves_the_map() ? 0 : 1;
}
