// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/preprocess.h"

#include <torch/utils.h>

#include <algorithm>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/preprocess/preprocessed.h"
#include "hyperdefect/spectral/rx.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::preprocess {
namespace {

/// Components are limited to this many standard deviations: no defect is as far away, and what is, such as
/// 1e38, would drown its neighbours' values in rounding errors.
constexpr double kFarthest = 1e5;

/// (channels out, channels) x (..., channels, rows, cols) -> (..., channels out, rows, cols).
torch::Tensor per_pixel(const torch::Tensor& matrix, const torch::Tensor& values) {
  return matrix.matmul(values.flatten(-2)).unflatten(-1, {values.size(-2), values.size(-1)});
}

torch::Tensor column(const torch::Tensor& factors) {
  return factors.to(torch::kFloat).view({-1, 1, 1});
}

}  // namespace

PreprocessImpl::PreprocessImpl(const PreprocessOptions& options, spectral::Bands bands,
                               std::int64_t components)
    : torch::nn::Module("Preprocess"),
      options_(options),
      transform_(options, std::move(bands)),
      components_(std::clamp<std::int64_t>(components, 1, transform_.features())),
      needs_components_(components > 0) {
  register_statistics();
}

void PreprocessImpl::register_statistics() {
  const auto features = this->features();
  mean_ = register_buffer("mean", torch::zeros({features}, torch::kDouble));
  axes_ = register_buffer("axes", torch::zeros({features, components_}, torch::kDouble));
  variances_ = register_buffer("variances", torch::zeros({components_}, torch::kDouble));
  precision_ = register_buffer("precision", torch::zeros({features, features}, torch::kDouble));
  sample_ = register_buffer("sample", torch::zeros({kSampledSpectra, components_}));
}

bool PreprocessImpl::keeps_values() const {
  return options_.transform == Transform::none && features() == bands().count && options_.trim_fraction == 0;
}

ComponentSpec PreprocessImpl::limited(ComponentSpec spec) const {
  spec.count = std::min(spec.count, components_);
  return spec;
}

void PreprocessImpl::accumulate(const Preprocessed& block) {
  if (!moments_) {
    moments_.emplace(features());
  }
  const auto& features = block.features();
  const auto used =
      farthest_ ? block.counted().logical_and(rx_distance(features).le(*farthest_)) : block.counted();
  moments_->add(features.flatten(1).t().index({used.flatten()}));
  if (!farthest_) {
    gathered_.add(features, block);
  }
}

bool PreprocessImpl::finalise() {
  if (!moments_ || moments_->count() < 2) {
    throw InputError(text::concat("too few valid pixels to learn from: ", moments_ ? moments_->count() : 0,
                                  ", at least 2 are needed; check no-data values and the cube's content"));
  }
  const torch::NoGradGuard no_gradient;
  const auto [variances, vectors] = spectral::leading_axes(moments_->covariance(false), components_);
  const auto kept = variances.size(0);
  if (kept == 0 && needs_components_) {
    throw InputError("all valid pixels have the same spectrum: there is nothing to learn from");
  }
  mean_.copy_(moments_->mean());
  axes_.zero_().narrow(1, 0, kept).copy_(vectors);
  variances_.zero_().narrow(0, 0, kept).copy_(variances);
  const auto rx = spectral::fit_rx(*moments_);
  precision_.copy_(rx.precision);
  ridge_ = rx.ridge;
  counted_ = moments_->count();
  moments_.reset();
  if (options_.trim_fraction > 0 && !farthest_) {
    trim();
    return true;
  }
  farthest_.reset();
  keep_sample();
  return false;
}

/// From here on accumulate() leaves out what lies farther from the mean than trim_fraction of the sample
/// does.
void PreprocessImpl::trim() {
  const auto sample = gathered_.spectra().t().to(device());
  const auto distances = std::get<0>(rx_distance(sample.unsqueeze(-1)).flatten().sort());
  const auto kept = static_cast<double>(distances.numel()) * (1.0 - options_.trim_fraction);
  farthest_ = distances[std::max<std::int64_t>(0, static_cast<std::int64_t>(kept) - 1)].item<double>();
}

void PreprocessImpl::keep_sample() {
  const auto places = torch::arange(kSampledSpectra, torch::kLong).remainder(gathered_.count());
  const auto spectra =
      gathered_.spectra().index_select(0, places).t().unsqueeze(-1).contiguous().to(device());
  const auto valid = torch::ones({kSampledSpectra, 1}, torch::TensorOptions(torch::kBool).device(device()));
  sample_.copy_(scores(spectra, valid).squeeze(-1).t());
  gathered_ = SpectrumSample(kSampledSpectra);
}

torch::Tensor PreprocessImpl::scores(const torch::Tensor& features, const torch::Tensor& valid) const {
  const auto centred = torch::where(valid.unsqueeze(0), features - column(mean_), 0.0F);
  return per_pixel(axes_.t().to(torch::kFloat), centred);
}

torch::Tensor PreprocessImpl::gains(const ComponentSpec& spec) const {
  return spectral::whitening_gains(variances(spec), spec.whitening_exponent);
}

torch::Tensor PreprocessImpl::components(const torch::Tensor& scores, const ComponentSpec& spec) const {
  const auto gains = this->gains(spec);
  const auto farthest = column(kFarthest * variances(spec).sqrt() * gains);
  return (scores.narrow(0, 0, spec.count) * column(gains)).clamp(-farthest, farthest);
}

torch::Tensor PreprocessImpl::to_components(const ComponentSpec& spec) const {
  return (gains(spec).unsqueeze(1) * axes_.narrow(1, 0, spec.count).t()).to(torch::kFloat);
}

torch::Tensor PreprocessImpl::component_change(const torch::Tensor& change, const ComponentSpec& spec) const {
  return per_pixel(to_components(spec), change);
}

torch::Tensor PreprocessImpl::spectra(const torch::Tensor& components, const ComponentSpec& spec) const {
  const auto gains = this->gains(spec);
  const auto inverse = torch::where(gains > 0, 1 / gains, 0.0);
  const auto back = (axes_.narrow(1, 0, spec.count) * inverse).to(torch::kFloat);
  return physical(per_pixel(back, components) + column(mean_));
}

torch::Tensor PreprocessImpl::band_axes(const ComponentSpec& spec) const {
  return axes_.narrow(1, 0, spec.count).to(torch::kFloat);
}

torch::Tensor PreprocessImpl::sampled(const ComponentSpec& spec) const {
  return components(sample_.t().unsqueeze(-1), spec).squeeze(-1).t().contiguous();
}

torch::Tensor PreprocessImpl::mean_spectrum() const {
  return physical(mean_.to(torch::kFloat));
}

torch::Tensor PreprocessImpl::rx_distance(const torch::Tensor& features) const {
  return spectral::rx(features, {mean_, precision_, 0.0}).clamp_min(0).sqrt();
}

void PreprocessImpl::pretty_print(std::ostream& stream) const {
  stream << "Preprocess(bands=" << bands().count
         << ", transform=" << (options_.transform == Transform::log ? "log" : "none")
         << ", bins=" << features();
  if (needs_components_) {
    stream << ", components=" << components_;
  }
  stream << ")";
}

}  // namespace hyperdefect::preprocess
