// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/whitening.h"

#include <torch/utils.h>

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
EigenDecomposition leading(const EigenDecomposition& all, std::int64_t components) {
  const auto values = all.values.flip(0);
  const auto rank =
      (values > relative_rank(values.size(0)) * values[0].clamp_min(0)).sum().item<std::int64_t>();
  const auto kept = std::min(components, rank);
  return {values.slice(0, 0, kept), all.vectors.flip(1).slice(1, 0, kept)};
}

}  // namespace

EigenDecomposition symmetric_eigen(const torch::Tensor& matrix) {
  const torch::NoGradGuard no_gradient;
  const auto [values, vectors] = torch::linalg_eigh(matrix.to(torch::kDouble));
  const auto largest = vectors.gather(0, vectors.abs().argmax(0, true));
  return {values, torch::where(largest < 0, -vectors, vectors)};
}

torch::Tensor whitening_gains(const torch::Tensor& variances, double power) {
  const auto kept = (variances > 0).sum().item<std::int64_t>();
  auto gains = torch::zeros_like(variances);
  if (kept > 0) {
    const auto values = variances.narrow(0, 0, kept);
    const auto relative = (values / values[0]).pow(power);
    gains.narrow(0, 0, kept).copy_((relative / values / relative.mean()).sqrt());
  }
  return gains;
}

EigenDecomposition leading_axes(const torch::Tensor& covariance, std::int64_t components) {
  return leading(symmetric_eigen(covariance), components);
}

Whitening partial_whitening(const torch::Tensor& mean, const torch::Tensor& covariance,
                            std::int64_t components, double power) {
  check(mean, covariance, components);
  const auto axes = leading(symmetric_eigen(covariance), components);
  const auto gains = whitening_gains(axes.values, power);
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

double relative_rank(std::int64_t size) {
  return static_cast<double>(size) * std::numeric_limits<double>::epsilon();
}

}  // namespace hyperdefect::spectral
