// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/batch_norm.h"

namespace hyperdefect::nn {
namespace {

thread_local NormSource* source_in_use = nullptr;

}  // namespace

NormSource::Use::Use(NormSource& source) : before_(source_in_use) {
  source_in_use = &source;
}

NormSource::Use::~Use() {
  source_in_use = before_;
}

BatchNormImpl::BatchNormImpl(std::int64_t channels)
    : torch::nn::BatchNorm2dImpl(torch::nn::BatchNorm2dOptions(channels)) {}

torch::Tensor BatchNormImpl::forward(const torch::Tensor& x) {
  return source_in_use != nullptr ? source_in_use->normalised(*this, x)
                                  : torch::nn::BatchNorm2dImpl::forward(x);
}

torch::Tensor BatchNormImpl::normalised(const torch::Tensor& x, const torch::Tensor& mean,
                                        const torch::Tensor& variance) const {
  constexpr double kUnused = 0.0;
  return torch::batch_norm(x, weight, bias, mean, variance, false, kUnused, options.eps(), false);
}

}  // namespace hyperdefect::nn
