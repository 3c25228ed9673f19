// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/angle.h"

#include <torch/utils.h>

#include <algorithm>

namespace hyperdefect::spectral {
namespace {

/// The elements of a strip in double stay within a core's cache.
constexpr std::int64_t kStripElements = 1 << 17;

/// Unit vectors along the first axis; a zero vector becomes NaN.
torch::Tensor unit(const torch::Tensor& spectra) {
  const auto values = spectra.to(torch::kDouble);
  const auto largest = values.abs().amax(0, true);
  const auto scaled = values / largest;
  return scaled / scaled.square().sum(0, true).sqrt();
}

/// (bands, n) and (bands, n) or (bands, 1), of unit length -> (n).
torch::Tensor angle_of_units(const torch::Tensor& u, const torch::Tensor& v) {
  const auto apart = (u - v).square_().sum(0).sqrt_();
  const auto together = (u + v).square_().sum(0).sqrt_();
  return torch::atan2(apart, together).mul_(2);
}

}  // namespace

double spectral_angle(const torch::Tensor& x, const torch::Tensor& y) {
  TORCH_CHECK(x.dim() == 1 && y.dim() == 1 && x.size(0) == y.size(0) && x.size(0) > 0,
              "spectral_angle: expected two spectra (bands), got ", x.sizes(), " and ", y.sizes());
  const torch::NoGradGuard no_gradient;
  return angle_of_units(unit(x.unsqueeze(1)), unit(y.unsqueeze(1))).item<double>();
}

torch::Tensor spectral_angle_map(const torch::Tensor& cube, const torch::Tensor& reference) {
  const bool to_one_spectrum = reference.dim() == 1;
  TORCH_CHECK(cube.dim() == 3 && cube.size(0) > 0 &&
                  (to_one_spectrum ? reference.size(0) == cube.size(0) : reference.sizes() == cube.sizes()),
              "spectral_angle_map: expected (bands, rows, cols) and (bands) or the same shape, got ",
              cube.sizes(), " and ", reference.sizes());
  const torch::NoGradGuard no_gradient;
  const auto pixels = cube.flatten(1);
  const auto others = to_one_spectrum ? torch::Tensor() : reference.flatten(1);
  const auto spectrum = to_one_spectrum ? unit(reference.unsqueeze(1)) : torch::Tensor();
  auto angles = torch::empty({pixels.size(1)}, cube.options().dtype(torch::kFloat));
  const auto step = std::max<std::int64_t>(1, kStripElements / cube.size(0));
  for (std::int64_t begin = 0; begin < pixels.size(1); begin += step) {
    const auto end = std::min(begin + step, pixels.size(1));
    const auto other = to_one_spectrum ? spectrum : unit(others.slice(1, begin, end));
    angles.slice(0, begin, end).copy_(angle_of_units(unit(pixels.slice(1, begin, end)), other));
  }
  return angles.view({cube.size(1), cube.size(2)});
}

}  // namespace hyperdefect::spectral
