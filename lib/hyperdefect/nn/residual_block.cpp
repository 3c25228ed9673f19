// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/residual_block.h"

#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {

ResidualBlockOptions::ResidualBlockOptions(int64_t in_channels, int64_t out_channels)
    : in_channels_(in_channels), out_channels_(out_channels) {}

ResidualBlockImpl::ResidualBlockImpl(const ResidualBlockOptions& options_) : options(options_) {
  reset();
}

void ResidualBlockImpl::reset() {
  auto block = ConvBlockOptions(options.in_channels(), options.out_channels())
                   .kernel(options.kernel())
                   .stride(options.stride())
                   .padding(options.padding())
                   .norm(options.norm());
  first = register_module("first", ConvBlock(block));
  block.in_channels(options.out_channels()).stride(1).activation(false);
  second = register_module("second", ConvBlock(block));
  projection = nullptr;
  if (options.residual() && (options.in_channels() != options.out_channels() || options.stride() != 1)) {
    projection = register_module(
        "projection",
        torch::nn::Conv2d(torch::nn::Conv2dOptions(options.in_channels(), options.out_channels(), 1)
                              .stride(options.stride())
                              .bias(false)));
  }
}

void ResidualBlockImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::ResidualBlock(" << options.in_channels() << ", " << options.out_channels()
         << ", stride=" << options.stride() << ", y = "
         << (!options.residual() ? "F(x)" : (projection.is_empty() ? "F(x) + x" : "F(x) + projection(x)"))
         << ")";
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& x) {
  check_features(x, options.in_channels(), "ResidualBlock");
  const auto changed = second(first(x));
  if (!options.residual()) {
    return changed;
  }
  // Not in place: the sum of reduced and full precision has full precision.
  return changed + (projection.is_empty() ? x : projection(x));
}

}  // namespace hyperdefect::nn
