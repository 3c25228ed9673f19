// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/autoencoder/residual_score.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "hyperdefect/image/gaussian.h"

namespace hyperdefect::detector {
namespace {

/// Ridge on the covariance of residuals, as a part of its mean diagonal.
constexpr double kResidualRidge = 0.01;
constexpr std::int64_t kSampledPixels = 1 << 16;
/// The parts of a score, in the order of their means.
enum Part : std::int64_t { kResidual, kSad, kMahalanobis, kRx, kParts };

/// What a part is divided by: 1 where it is zero everywhere, so that it stays zero.
double mean_or_one(const torch::Tensor& values) {
  const double mean = values.to(torch::kDouble).mean().item<double>();
  return mean > 0 && std::isfinite(mean) ? mean : 1.0;
}

}  // namespace

ResidualScoreImpl::ResidualScoreImpl(const ScoreOptions& options, std::int64_t sizes, std::int64_t components)
    : torch::nn::Module("ResidualScore"), options_(options), sample_(kSampledPixels) {
  size_means_ = register_buffer("size_means", torch::ones({sizes}));
  part_means_ = register_buffer("part_means", torch::ones({kParts}));
  difference_mean_ = register_buffer("difference_mean", torch::zeros({components}));
  difference_precision_ = register_buffer("difference_precision", torch::eye(components));
}

void ResidualScoreImpl::accumulate(const ScoreParts& parts, const preprocess::Preprocessed& block) {
  std::vector<torch::Tensor> maps{parts.residual, parts.difference};
  for (const auto* part : {&parts.sad_rad, &parts.rx}) {
    const auto map = part->defined() ? part->nan_to_num(0.0) : torch::zeros_like(parts.difference[0]);
    maps.push_back(map.unsqueeze(0));
  }
  sample_.add(torch::cat(maps), block);
}

void ResidualScoreImpl::finalise() {
  const torch::NoGradGuard no_gradient;
  const auto sampled = sample_.spectra().t().to(size_means_.device());
  const auto sizes = size_means_.size(0);
  const auto components = difference_mean_.size(0);
  const auto residual = sampled.narrow(0, 0, sizes);
  const auto difference = sampled.narrow(0, sizes, components);
  for (std::int64_t size = 0; size < sizes; ++size) {
    size_means_[size].fill_(mean_or_one(residual[size]));
  }
  fit_mahalanobis(difference);
  part_means_[kResidual].fill_(mean_or_one(residual_of(residual.unsqueeze(-1))));
  part_means_[kSad].fill_(mean_or_one(sampled[sizes + components]));
  part_means_[kMahalanobis].fill_(mean_or_one(mahalanobis(difference.unsqueeze(-1))));
  part_means_[kRx].fill_(mean_or_one(sampled[sizes + components + 1]));
  sample_ = preprocess::SpectrumSample(kSampledPixels);
}

void ResidualScoreImpl::fit_mahalanobis(const torch::Tensor& difference) {
  const auto values = difference.to(torch::kDouble);
  const auto mean = values.mean(1);
  const auto centred = values - mean.unsqueeze(1);
  const auto covariance =
      centred.matmul(centred.t()) / static_cast<double>(std::max<std::int64_t>(1, values.size(1)));
  const auto ridge = kResidualRidge * mean_or_one(covariance.diagonal());
  difference_mean_.copy_(mean);
  difference_precision_.copy_(
      torch::linalg_inv(covariance + ridge * torch::eye(mean.numel(), covariance.options())));
}

torch::Tensor ResidualScoreImpl::smoothed(const torch::Tensor& map, const torch::Tensor& valid) const {
  return options_.smoothing_px > 0 ? image::gaussian_smoothed(map, valid, options_.smoothing_px) : map;
}

torch::Tensor ResidualScoreImpl::residual_of(const torch::Tensor& residuals) const {
  return (residuals / size_means_.view({-1, 1, 1})).amax(0);
}

torch::Tensor ResidualScoreImpl::mahalanobis(const torch::Tensor& difference) const {
  const auto centred = difference.flatten(1) - difference_mean_.unsqueeze(1);
  const auto squared = (difference_precision_.matmul(centred) * centred).sum(0);
  return squared.clamp_min(0).sqrt().unflatten(0, {difference.size(1), difference.size(2)});
}

torch::Tensor ResidualScoreImpl::forward(const ScoreParts& parts, const torch::Tensor& valid) const {
  auto score = torch::zeros_like(parts.difference[0]);
  const auto add = [&](double weight, Part which, const torch::Tensor& part) {
    score += part * (weight / part_means_[which].item<double>());
  };
  if (options_.residual_weight > 0) {
    std::vector<torch::Tensor> maps;
    for (const auto& map : parts.residual.unbind(0)) {
      maps.push_back(smoothed(map, valid));
    }
    add(options_.residual_weight, kResidual, residual_of(torch::stack(maps)));
  }
  if (options_.sad_weight > 0) {
    add(options_.sad_weight, kSad, smoothed(parts.sad_rad.nan_to_num(0.0), valid));
  }
  if (options_.mahalanobis_weight > 0) {
    add(options_.mahalanobis_weight, kMahalanobis, smoothed(mahalanobis(parts.difference), valid));
  }
  if (options_.rx_weight > 0) {
    add(options_.rx_weight, kRx, smoothed(parts.rx, valid));
  }
  return score;
}

std::int64_t ResidualScoreImpl::halo() const {
  return image::gaussian_radius(options_.smoothing_px);
}

}  // namespace hyperdefect::detector
