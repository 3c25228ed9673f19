// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/normal_mixture.h"

#include <torch/utils.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/spectral/moments.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::spectral {
namespace {

/// Keeps a part that no sample belongs to from dividing by zero.
constexpr double kLeastShare = 1e-12;

/// (parts, m): 1 where a sample begins in a part.
torch::Tensor first_shares(const torch::Tensor& samples, std::int64_t parts) {
  Moments moments(samples.size(1));
  moments.add(samples);
  const auto axis = symmetric_eigen(moments.covariance(false)).vectors.select(1, -1);
  const auto order = (samples - moments.mean()).matmul(axis).argsort();
  const auto count = samples.size(0);
  auto part = torch::empty({count}, torch::kLong);
  part.index_put_({order}, torch::arange(count, torch::kLong).mul(parts).floor_divide(count));
  return torch::arange(parts, torch::kLong).unsqueeze(1).eq(part.unsqueeze(0)).to(torch::kDouble);
}

/// The mixture that is likeliest when each sample belongs to the parts by these shares (parts, m).
NormalMixture maximised(const torch::Tensor& samples, const torch::Tensor& shares, double ridge) {
  const auto sums = shares.sum(1).clamp_min(kLeastShare);
  const auto means = shares.matmul(samples) / sums.unsqueeze(1);
  const auto diagonal = ridge * torch::eye(samples.size(1), torch::kDouble);
  std::vector<torch::Tensor> covariances;
  for (std::int64_t part = 0; part < shares.size(0); ++part) {
    const auto centred = samples - means[part];
    const auto scatter = (centred * shares[part].unsqueeze(1)).t().matmul(centred);
    covariances.push_back(scatter / sums[part] + diagonal);
  }
  return {shares.mean(1), means, torch::stack(covariances)};
}

}  // namespace

torch::Tensor log_densities(const NormalMixture& mixture, const torch::Tensor& samples) {
  const auto size = mixture.means.size(1);
  TORCH_CHECK(samples.dim() == 2 && samples.size(1) == size, "log_densities: expected samples (m, ", size,
              "), got ", samples.sizes());
  const auto root = torch::linalg_cholesky(mixture.covariances);
  std::vector<torch::Tensor> rows;
  for (std::int64_t part = 0; part < mixture.weights.size(0); ++part) {
    const auto white = torch::linalg_solve_triangular(root[part], (samples - mixture.means[part]).t(), false);
    const auto constant = mixture.weights[part].log() - root[part].diagonal().log().sum() -
                          0.5 * static_cast<double>(size) * std::log(2 * std::numbers::pi);
    rows.push_back(constant - 0.5 * white.square().sum(0));
  }
  return torch::stack(rows);
}

NormalMixture fit_normal_mixture(const torch::Tensor& samples, const MixtureOptions& options) {
  TORCH_CHECK(samples.dim() == 2 && options.parts >= 1 && options.ridge > 0,
              "fit_normal_mixture: expected samples (m, n), at least one part and a ridge above 0, got ",
              samples.sizes(), ", ", options.parts, " and ", options.ridge);
  if (samples.size(0) == 0) {
    throw InputError("too few valid pixels for a mixture of normal distributions: 0, at least 1 is needed");
  }
  const torch::NoGradGuard no_gradient;
  const auto values = samples.to(torch::kDouble);
  auto mixture = maximised(values, first_shares(values, options.parts), options.ridge);
  for (std::int64_t round = 0; round < options.rounds && options.parts > 1; ++round) {
    mixture = maximised(values, log_densities(mixture, values).softmax(0), options.ridge);
  }
  return mixture;
}

}  // namespace hyperdefect::spectral
