// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/channel_norm.h"

#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {

ChannelNormOptions::ChannelNormOptions(int64_t channels) : channels_(channels) {}

ChannelNormImpl::ChannelNormImpl(const ChannelNormOptions& options_) : options(options_) {
  reset();
}

void ChannelNormImpl::reset() {
  check_positive({options.channels()}, "ChannelNorm", "channels");
  weight = register_parameter("weight", torch::ones({options.channels()}));
  bias = register_parameter("bias", torch::zeros({options.channels()}));
}

void ChannelNormImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::ChannelNorm(" << options.channels() << ", eps=" << options.eps() << ")";
}

torch::Tensor ChannelNormImpl::forward(const torch::Tensor& x) {
  check_features(x, options.channels(), "ChannelNorm");
  const auto pixels = x.permute({0, 2, 3, 1});
  return torch::layer_norm(pixels, {options.channels()}, weight, bias, options.eps()).permute({0, 3, 1, 2});
}

}  // namespace hyperdefect::nn
