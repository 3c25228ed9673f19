// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/upsample.h"

#include <algorithm>
#include <vector>

#include "hyperdefect/nn/padding.h"
#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {
namespace {

torch::Tensor fitted(const torch::Tensor& x, Size target) {
  check_positive({target.rows, target.cols}, "Upsample", "rows and columns of the target");
  const auto inside = cropped(x, {std::min(x.size(2), target.rows), std::min(x.size(3), target.cols)});
  return pad_margins(inside, {0, target.rows - inside.size(2), 0, target.cols - inside.size(3)},
                     Padding::replicate);
}

}  // namespace

UpsampleOptions::UpsampleOptions(int64_t channels) : channels_(channels) {}

UpsampleImpl::UpsampleImpl(const UpsampleOptions& options_) : options(options_) {
  reset();
}

int64_t UpsampleImpl::out_channels() const {
  return options.out_channels() > 0 ? options.out_channels() : options.channels();
}

int64_t UpsampleImpl::kernel() const {
  return options.kernel() > 0 ? options.kernel() : options.factor();
}

void UpsampleImpl::reset() {
  check_positive({options.channels(), options.factor()}, "Upsample", "channels and factor");
  conv = nullptr;
  if (options.mode() != Upsampling::transposed_conv) {
    TORCH_CHECK(out_channels() == options.channels(), "Upsample: ", to_string(options.mode()), " keeps ",
                options.channels(), " channels, got out_channels ", options.out_channels());
    return;
  }
  const auto overlap = kernel() - options.factor();
  TORCH_CHECK(overlap >= 0 && overlap % 2 == 0, "Upsample: kernel must be factor (", options.factor(),
              ") plus an even number, got ", kernel());
  conv = register_module("conv", torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(
                                                                options.channels(), out_channels(), kernel())
                                                                .stride(options.factor())
                                                                .padding(overlap / 2)));
}

void UpsampleImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::Upsample(" << to_string(options.mode()) << ", " << options.channels() << " -> "
         << out_channels() << ", factor=" << options.factor() << ")";
}

torch::Tensor UpsampleImpl::magnified(const torch::Tensor& x) {
  if (!conv.is_empty()) {
    return conv(x);
  }
  const std::vector<int64_t> size{x.size(2) * options.factor(), x.size(3) * options.factor()};
  return options.mode() == Upsampling::nearest ? torch::upsample_nearest2d(x, size)
                                               : torch::upsample_bilinear2d(x, size, /*align_corners=*/false);
}

torch::Tensor UpsampleImpl::forward(const torch::Tensor& x, std::optional<Size> target) {
  check_features(x, options.channels(), "Upsample");
  const auto fine = magnified(x);
  return target ? fitted(fine, *target) : fine;
}

}  // namespace hyperdefect::nn
