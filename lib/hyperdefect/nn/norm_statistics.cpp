// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/norm_statistics.h"

#include "hyperdefect/nn/batch_norm.h"

namespace hyperdefect::nn {
namespace {

std::vector<BatchNormImpl*> norms_of(const torch::nn::Module& network) {
  std::vector<BatchNormImpl*> norms;
  for (const auto& module : network.modules()) {
    if (auto* norm = module->as<BatchNormImpl>()) {
      norms.push_back(norm);
    }
  }
  return norms;
}

/// (channels of the norm): its part of what is kept of all channels.
torch::Tensor part_of(const torch::Tensor& all, const BatchNormImpl& norm) {
  return all.narrow(0, norm.first_channel, norm.weight.numel());
}

/// Statistics that are known.
class Known : public NormSource {
 public:
  Known(torch::Tensor means, torch::Tensor variances)
      : means_(std::move(means)), variances_(std::move(variances)) {}

  torch::Tensor normalised(const BatchNormImpl& norm, const torch::Tensor& x) override {
    return norm.normalised(x, part_of(means_, norm), part_of(variances_, norm));
  }

 private:
  torch::Tensor means_;
  torch::Tensor variances_;
};

/// The statistics of what is normalised, which go into an average.
class Measured : public NormSource {
 public:
  /// @param part of the average that what is measured now makes up.
  Measured(torch::Tensor means, torch::Tensor variances, double part)
      : means_(std::move(means)), variances_(std::move(variances)), part_(part) {}

  torch::Tensor normalised(const BatchNormImpl& norm, const torch::Tensor& x) override {
    const auto [variance, mean] = torch::var_mean(x.to(torch::kFloat), {0, 2, 3}, false);
    part_of(means_, norm).lerp_(mean, part_);
    part_of(variances_, norm).lerp_(variance, part_);
    return norm.normalised(x, mean, variance);
  }

 private:
  torch::Tensor means_;
  torch::Tensor variances_;
  double part_;
};

}  // namespace

NormStatisticsImpl::NormStatisticsImpl(std::int64_t draws, const torch::nn::Module& network)
    : torch::nn::Module("NormStatistics"), pixels_(static_cast<std::size_t>(draws), 0) {
  std::int64_t channels = 0;
  for (auto* norm : norms_of(network)) {
    norm->first_channel = channels;
    channels += norm->weight.numel();
  }
  means_ = register_buffer("means", torch::zeros({draws, channels}));
  variances_ = register_buffer("variances", torch::ones({draws, channels}));
}

void NormStatisticsImpl::begin(const torch::nn::Module& network) {
  const torch::NoGradGuard no_gradient;
  pixels_.assign(pixels_.size(), 0);
  for (const auto* norm : norms_of(network)) {
    for (std::int64_t draw = 0; draw < means_.size(0); ++draw) {
      part_of(means_[draw], *norm).copy_(norm->running_mean);
      part_of(variances_[draw], *norm).copy_(norm->running_var);
    }
  }
}

torch::Tensor NormStatisticsImpl::gather(std::int64_t draw, std::int64_t pixels,
                                         const std::function<torch::Tensor()>& forward) {
  auto& before = pixels_[static_cast<std::size_t>(draw)];
  before += pixels;
  Measured measured(means_[draw], variances_[draw],
                    static_cast<double>(pixels) / static_cast<double>(before));
  const NormSource::Use use(measured);
  return forward();
}

torch::Tensor NormStatisticsImpl::apply(std::int64_t draw,
                                        const std::function<torch::Tensor()>& forward) const {
  Known known(means_[draw], variances_[draw]);
  const NormSource::Use use(known);
  return forward();
}

}  // namespace hyperdefect::nn
