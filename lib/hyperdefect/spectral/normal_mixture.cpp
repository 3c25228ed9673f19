// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/normal_mixture.h"

#include <torch/utils.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/metric/quantile.h"
#include "hyperdefect/spectral/moments.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::spectral {
namespace {

/// Keeps a part that no sample belongs to from dividing by zero.
constexpr double kLeastShare = 1e-12;
/// The part of the samples that do not show in which directions the largest lie.
constexpr double kNear = 0.9;

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

/// (n, n): the mean square of unit vectors along the samples (m, n).
torch::Tensor mean_direction_square(const torch::Tensor& samples) {
  const auto lengths = samples.norm(2, {1}, true);
  const auto units = samples / torch::where(lengths > 0, lengths, 1.0);
  return units.t().matmul(units) / static_cast<double>(samples.size(0));
}

}  // namespace

torch::Tensor leading_directions(const torch::Tensor& samples, std::int64_t directions) {
  TORCH_CHECK(samples.dim() == 2 && samples.size(0) > 0 && directions >= 1,
              "leading_directions: expected samples (m, n) and at least one direction, got ", samples.sizes(),
              " and ", directions);
  const torch::NoGradGuard no_gradient;
  const auto values = samples.to(torch::kDouble);
  const auto squares = values.square().sum(1);
  const auto far = values.index({squares.ge(metric::nearest_rank(squares, kNear))});
  const auto axes = leading_axes(mean_direction_square(far), directions);
  const auto sum = axes.values.sum();
  const auto shares = axes.values / torch::where(sum > 0, sum, 1.0);
  return (axes.vectors * shares).matmul(axes.vectors.t());
}

NormalMixture with_texture(const NormalMixture& mixture, const Texture& texture) {
  const auto size = mixture.means.size(1);
  TORCH_CHECK(texture.covariance.dim() == 2 && texture.covariance.size(0) == size &&
                  texture.covariance.size(1) == size && texture.probability >= 0 && texture.probability < 1,
              "with_texture: expected a covariance (", size, ", ", size,
              ") and a probability in [0, 1), got ", texture.covariance.sizes(), " and ",
              texture.probability);
  if (texture.amplitudes.empty()) {
    return mixture;
  }
  const double share = texture.probability / static_cast<double>(texture.amplitudes.size());
  std::vector<torch::Tensor> weights{mixture.weights * (1 - texture.probability)};
  std::vector<torch::Tensor> means{mixture.means};
  std::vector<torch::Tensor> covariances{mixture.covariances};
  for (const double amplitude : texture.amplitudes) {
    weights.push_back(mixture.weights * share);
    means.push_back(mixture.means);
    covariances.push_back(mixture.covariances + amplitude * amplitude * texture.covariance);
  }
  return {torch::cat(weights), torch::cat(means), torch::cat(covariances)};
}

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
