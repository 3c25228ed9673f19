// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/smooth_prior.h"

#include <torch/utils.h>

namespace hyperdefect::spectral {

torch::Tensor smooth_covariance(const torch::Tensor& positions_nm, const std::vector<double>& lengths_nm) {
  TORCH_CHECK(positions_nm.dim() == 1 && !lengths_nm.empty(),
              "smooth_covariance: expected positions (n) and at least one length, got ", positions_nm.sizes(),
              " and ", lengths_nm.size(), " lengths");
  const torch::NoGradGuard no_gradient;
  const auto positions = positions_nm.to(torch::kDouble);
  const auto squared = (positions.unsqueeze(1) - positions.unsqueeze(0)).square();
  auto sum = torch::zeros_like(squared);
  for (const double length : lengths_nm) {
    sum += (squared / (-2 * length * length)).exp();
  }
  return sum / static_cast<double>(lengths_nm.size());
}

}  // namespace hyperdefect::spectral
