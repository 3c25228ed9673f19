// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/whitening.h"

#include <algorithm>
#include <limits>

#include "hyperdefect/core/error.h"

namespace hyperdefect::spectral {
namespace {

constexpr double kNoiseFloor = 1e-6;

void check(const torch::Tensor& mean, const torch::Tensor& covariance, std::int64_t components) {
  TORCH_CHECK(mean.dim() == 1 && covariance.dim() == 2 && covariance.size(0) == mean.size(0) &&
                  covariance.size(1) == mean.size(0),
              "whitening: expected a mean (bands) and a covariance (bands, bands), got ", mean.sizes(),
              " and ", covariance.sizes());
  TORCH_CHECK(components >= 1, "whitening: expected at least 1 component, got ", components);
}

/// At most `components` pairs, from the largest eigenvalue down, without those that are zero but for
/// rounding.
Eigen leading(const Eigen& all, std::int64_t components) {
  const auto values = all.values.flip(0);
  const auto rank =
      (values > relative_rank(values.size(0)) * values[0].clamp_min(0)).sum().item<std::int64_t>();
  const auto kept = std::min(components, rank);
  return {values.slice(0, 0, kept), all.vectors.flip(1).slice(1, 0, kept)};
}

}  // namespace

Eigen symmetric_eigen(const torch::Tensor& matrix) {
  const torch::NoGradGuard no_gradient;
  const auto [values, vectors] = torch::linalg_eigh(matrix.to(torch::kDouble));
  const auto largest = vectors.gather(0, vectors.abs().argmax(0, true));
  return {values, torch::where(largest < 0, -vectors, vectors)};
}

Whitening partial_whitening(const torch::Tensor& mean, const torch::Tensor& covariance,
                            std::int64_t components, double power) {
  check(mean, covariance, components);
  const auto axes = leading(symmetric_eigen(covariance), components);
  auto gains = torch::empty_like(axes.values);
  if (axes.values.size(0) > 0) {
    const auto relative = (axes.values / axes.values[0]).pow(power);
    gains = (relative / axes.values / relative.mean()).sqrt();
  }
  return {mean.to(torch::kDouble), gains.unsqueeze(1) * axes.vectors.t(), axes.vectors / gains, axes.values};
}

Whitening noise_whitening(const torch::Tensor& mean, const torch::Tensor& covariance,
                          const torch::Tensor& noise_covariance, std::int64_t components) {
  check(mean, covariance, components);
  check(mean, noise_covariance, components);
  const auto noise = symmetric_eigen(noise_covariance);
  const auto largest = noise.values[-1].item<double>();
  if (!(largest > 0)) {
    throw InputError(
        "the noise cannot be estimated: neighbouring pixels do not differ; check the cube's content");
  }
  const auto deviations = noise.values.clamp_min(kNoiseFloor * largest).sqrt();
  const auto whiten = noise.vectors.t() / deviations.unsqueeze(1);
  const auto axes =
      leading(symmetric_eigen(whiten.matmul(covariance.to(torch::kDouble)).matmul(whiten.t())), components);
  return {mean.to(torch::kDouble), axes.vectors.t().matmul(whiten),
          (noise.vectors * deviations).matmul(axes.vectors), axes.values};
}

torch::Tensor zca(const Whitening& whitening) {
  const auto axes = whitening.back / whitening.back.norm(2, 0, true);
  return axes.matmul(whitening.to);
}

double relative_rank(std::int64_t size) {
  return static_cast<double>(size) * std::numeric_limits<double>::epsilon();
}

}  // namespace hyperdefect::spectral
