// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <cmath>

#include "hyperdefect/spectral/angle.h"

int main() {
  const double sad_rad = hyperdefect::spectral::spectral_angle(torch::tensor({0.4, 0.5, 0.6}),
                                                               torch::tensor({0.35, 0.55, 0.65}));
  return std::abs(sad_rad - 0.0836) < 1e-4 ? 0 : 1;
}
