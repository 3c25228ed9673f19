// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/preprocess.h"

#include <algorithm>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/rx.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::model {
namespace {

/// Components are limited to this many standard deviations: no defect is as far away, and what is, such as
/// 1e38, would drown its neighbours' values in rounding errors.
constexpr double kFarthest = 1e5;

/// (channels out, channels) x (..., channels, rows, cols) -> (..., channels out, rows, cols).
torch::Tensor per_pixel(const torch::Tensor& matrix, const torch::Tensor& values) {
  return matrix.matmul(values.flatten(-2)).unflatten(-1, {values.size(-2), values.size(-1)});
}

}  // namespace

PreprocessImpl::PreprocessImpl(const PreprocessOptions& options, spectral::Bands bands)
    : torch::nn::Module("Preprocess"),
      options_(options),
      transform_(options, std::move(bands)),
      components_(std::min(options.components, transform_.features())) {
  register_statistics();
}

void PreprocessImpl::register_statistics() {
  const auto features = this->features();
  mean_ = register_buffer("mean", torch::zeros({features}, torch::kDouble));
  to_components_ = register_buffer("to_components", torch::zeros({components_, features}));
  from_components_ = register_buffer("from_components", torch::zeros({features, components_}));
  axes_ = register_buffer("axes", torch::zeros({features, components_}));
  variances_ = register_buffer("variances", torch::zeros({components_}, torch::kDouble));
  rx_precision_ = register_buffer("rx_precision", torch::zeros({features, features}, torch::kDouble));
}

spectral::Block PreprocessImpl::on_device(const spectral::Block& block) const {
  return {block.values.to(mean_.device()), block.valid.to(mean_.device()), block.window, block.image};
}

spectral::Block PreprocessImpl::prepare(const spectral::Block& block) const {
  const auto cube = on_device(block);
  return {whitened(transformed(matched(cube.values)), cube.valid), cube.valid, cube.window, cube.image};
}

torch::Tensor PreprocessImpl::whitened(const torch::Tensor& transformed, const torch::Tensor& valid) const {
  const auto usable = valid.unsqueeze(0);
  const auto centred = torch::where(usable, transformed - mean_.to(torch::kFloat).view({-1, 1, 1}), 0.0F);
  const auto farthest =
      (kFarthest * variances_.pow((1 - options_.power) / 2)).to(torch::kFloat).view({-1, 1, 1});
  return per_pixel(to_components_, centred).clamp(-farthest, farthest);
}

torch::Tensor PreprocessImpl::whitened_change(const torch::Tensor& change) const {
  return per_pixel(to_components_, change);
}

torch::Tensor PreprocessImpl::spectra(const torch::Tensor& components) const {
  return physical(per_pixel(from_components_, components) + mean_.to(torch::kFloat).view({-1, 1, 1}));
}

torch::Tensor PreprocessImpl::mean_spectrum() const {
  return physical(mean_.to(torch::kFloat));
}

torch::Tensor PreprocessImpl::rx_distance(const torch::Tensor& transformed) const {
  return spectral::rx(transformed, {mean_, rx_precision_, 0.0}).clamp_min(0).sqrt();
}

void PreprocessImpl::observe(const torch::Tensor& transformed, const torch::Tensor& valid) {
  if (!moments_) {
    moments_.emplace(features());
  }
  const auto used = farthest_ ? valid.logical_and(rx_distance(transformed).le(*farthest_)) : valid;
  moments_->add(transformed.flatten(1).t().index({used.flatten()}));
}

void PreprocessImpl::trim_like(const torch::Tensor& spectra) {
  const auto distances = std::get<0>(rx_distance(spectra.unsqueeze(-1)).flatten().sort());
  const auto kept = static_cast<double>(distances.numel()) * (1.0 - options_.trim_fraction);
  farthest_ = distances[std::max<std::int64_t>(0, static_cast<std::int64_t>(kept) - 1)].item<double>();
}

void PreprocessImpl::finish() {
  if (!moments_ || moments_->count() < 2) {
    throw InputError(text::cat("too few valid pixels to learn from: ", moments_ ? moments_->count() : 0,
                               ", at least 2 are needed; check no-data values and the cube's content"));
  }
  const torch::NoGradGuard no_gradient;
  const auto covariance = moments_->covariance(false);
  const auto whitening =
      spectral::partial_whitening(moments_->mean(), covariance, components_, options_.power);
  const auto kept = whitening.to.size(0);
  if (kept == 0) {
    throw InputError("all valid pixels have the same spectrum: there is nothing to learn from");
  }
  mean_.copy_(moments_->mean());
  to_components_.zero_().narrow(0, 0, kept).copy_(whitening.to);
  from_components_.zero_().narrow(1, 0, kept).copy_(whitening.back);
  variances_.zero_().narrow(0, 0, kept).copy_(whitening.eigenvalues);
  axes_.zero_()
      .narrow(1, 0, kept)
      .copy_(torch::nn::functional::normalize(whitening.back,
                                              torch::nn::functional::NormalizeFuncOptions().dim(0)));
  const auto rx = spectral::fit_rx(*moments_);
  rx_precision_.copy_(rx.precision);
  moments_.reset();
  farthest_.reset();
}

void PreprocessImpl::pretty_print(std::ostream& stream) const {
  stream << "Preprocess(bands=" << bands().count << ", transform=" << options_.transform
         << ", bins=" << features() << ", components=" << components_ << ", power=" << options_.power << ")";
}

}  // namespace hyperdefect::model
