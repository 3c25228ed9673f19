// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/norm_statistics.h"

namespace hyperdefect::model {
namespace {

std::vector<torch::nn::BatchNorm2dImpl*> norms_of(const torch::nn::Module& network) {
  std::vector<torch::nn::BatchNorm2dImpl*> norms;
  for (const auto& module : network.modules()) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      norms.push_back(norm);
    }
  }
  return norms;
}

std::int64_t channels_of(const torch::nn::Module& network) {
  std::int64_t channels = 0;
  for (const auto* norm : norms_of(network)) {
    channels += norm->running_mean.numel();
  }
  return channels;
}

/// Calls use(norm, its place among all channels).
template <class Use>
void for_each_norm(const torch::nn::Module& network, const Use& use) {
  std::int64_t first = 0;
  for (auto* norm : norms_of(network)) {
    const auto channels = norm->running_mean.numel();
    use(*norm, torch::indexing::Slice(first, first + channels));
    first += channels;
  }
}

}  // namespace

NormStatisticsImpl::NormStatisticsImpl(std::int64_t draws, const torch::nn::Module& network)
    : torch::nn::Module("NormStatistics"), pixels_(static_cast<std::size_t>(draws), 0) {
  const auto channels = channels_of(network);
  means_ = register_buffer("means", torch::zeros({draws, channels}));
  variances_ = register_buffer("variances", torch::ones({draws, channels}));
}

void NormStatisticsImpl::begin(const torch::nn::Module& network) {
  const torch::NoGradGuard no_gradient;
  pixels_.assign(pixels_.size(), 0);
  for_each_norm(network, [&](const torch::nn::BatchNorm2dImpl& norm, const auto& channels) {
    using torch::indexing::Slice;
    means_.index_put_({Slice(), channels}, norm.running_mean);
    variances_.index_put_({Slice(), channels}, norm.running_var);
  });
}

torch::Tensor NormStatisticsImpl::gather(torch::nn::Module& network, std::int64_t draw, std::int64_t pixels,
                                         const std::function<torch::Tensor()>& forward) {
  auto& before = pixels_[static_cast<std::size_t>(draw)];
  before += pixels;
  const double part = static_cast<double>(pixels) / static_cast<double>(before);
  apply(network, draw);
  for_each_norm(network, [&](torch::nn::BatchNorm2dImpl& norm, const auto&) {
    norm.options.momentum(part);
    norm.train();
  });
  const auto result = forward();
  for_each_norm(network, [&](torch::nn::BatchNorm2dImpl& norm, const auto& channels) {
    norm.eval();
    means_[draw].index_put_({channels}, norm.running_mean);
    variances_[draw].index_put_({channels}, norm.running_var);
  });
  return result;
}

void NormStatisticsImpl::apply(torch::nn::Module& network, std::int64_t draw) const {
  const torch::NoGradGuard no_gradient;
  for_each_norm(network, [&](torch::nn::BatchNorm2dImpl& norm, const auto& channels) {
    norm.running_mean.copy_(means_[draw].index({channels}));
    norm.running_var.copy_(variances_[draw].index({channels}));
  });
}

}  // namespace hyperdefect::model
