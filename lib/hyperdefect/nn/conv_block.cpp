// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/conv_block.h"

#include "hyperdefect/nn/batch_norm.h"
#include "hyperdefect/nn/channel_norm.h"
#include "hyperdefect/nn/init.h"
#include "hyperdefect/nn/padding.h"
#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {
namespace {

torch::nn::AnyModule make_norm(Norm norm, int64_t channels) {
  switch (norm) {
    case Norm::layer:
      return torch::nn::AnyModule(ChannelNorm(channels));
    case Norm::batch:
      return torch::nn::AnyModule(BatchNorm(channels));
    case Norm::none:
      break;
  }
  return {};
}

}  // namespace

ConvBlockOptions::ConvBlockOptions(int64_t in_channels, int64_t out_channels)
    : in_channels_(in_channels), out_channels_(out_channels) {}

ConvBlockImpl::ConvBlockImpl(const ConvBlockOptions& options_) : options(options_) {
  reset();
}

void ConvBlockImpl::reset() {
  check_positive({options.in_channels(), options.out_channels(), options.kernel(), options.stride()},
                 "ConvBlock", "channels, kernel and stride");
  TORCH_CHECK(options.kernel() % 2 == 1, "ConvBlock: kernel must be odd, got ", options.kernel());
  conv = register_module(
      "conv", torch::nn::Conv2d(
                  torch::nn::Conv2dOptions(options.in_channels(), options.out_channels(), options.kernel())
                      .stride(options.stride())
                      .bias(options.norm() == Norm::none)));
  norm = make_norm(options.norm(), options.out_channels());
  if (!norm.is_empty()) {
    register_module("norm", norm.ptr());
  }
}

void ConvBlockImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::ConvBlock(" << options.in_channels() << ", " << options.out_channels()
         << ", kernel=" << options.kernel() << ", stride=" << options.stride()
         << ", padding=" << to_string(options.padding()) << ", norm=" << to_string(options.norm())
         << ", activation=" << (options.activation() ? "leaky_relu" : "none") << ")";
}

torch::Tensor ConvBlockImpl::forward(const torch::Tensor& x) {
  check_features(x, options.in_channels(), "ConvBlock");
  const auto margin = options.kernel() / 2;
  auto y = conv(pad_margins(x, {margin, margin, margin, margin}, options.padding()));
  if (!norm.is_empty()) {
    y = norm.forward(y);
  }
  // In place: nothing before it needs its own result for the gradient.
  return options.activation() ? torch::leaky_relu_(y, kLeakySlope) : y;
}

}  // namespace hyperdefect::nn
