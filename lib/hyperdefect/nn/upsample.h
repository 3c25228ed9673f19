// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/container/any.h>
#include <torch/nn/modules/conv.h>

#include <cstdint>
#include <optional>

#include "hyperdefect/core/window.h"
#include "hyperdefect/nn/choices.h"

namespace hyperdefect::nn {

/// Options of Upsample. Example: `Upsample
/// up(UpsampleOptions(96).mode(Upsampling::transposed_conv).out_channels(48));`
struct UpsampleOptions {
  UpsampleOptions(int64_t channels);  // NOLINT: implicit, as torch's own options
  /// The channels that come in; interpolations keep them.
  TORCH_ARG(int64_t, channels);
  TORCH_ARG(Upsampling, mode) = Upsampling::bilinear;
  /// How many times finer the result is; the stride of the transposed convolution.
  TORCH_ARG(int64_t, factor) = 2;
  /// Only transposed_conv: the channels that go out; 0 keeps them.
  TORCH_ARG(int64_t, out_channels) = 0;
  /// Only transposed_conv: the rows and columns of the kernel; factor plus an even number, 0 takes factor.
  TORCH_ARG(int64_t, kernel) = 0;
};

/// Makes a feature map finer: by a transposed convolution (zeros inserted between pixels, then a
/// convolution), which has weights, or by bilinear or nearest interpolation, which have none.
///
/// Shape: (N, channels, H, W) -> (N, out_channels(), factor * H, factor * W), or the rows and columns of
/// `target`: last rows and columns are cropped, missing ones are repeated, so pixels stay where they are in
/// the image.
///
///     Upsample up(UpsampleOptions(96).mode(Upsampling::transposed_conv).out_channels(48));
///     const auto coarse = torch::randn({1, 96, 17, 10});
///     const auto fine = up(coarse, Size{33, 20});  // (1, 48, 33, 20)
class UpsampleImpl : public torch::nn::Cloneable<UpsampleImpl> {
 public:
  explicit UpsampleImpl(const UpsampleOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& x, std::optional<Size> target = std::nullopt);
  int64_t out_channels() const;

  UpsampleOptions options;
  /// Null for interpolations.
  torch::nn::ConvTranspose2d conv{nullptr};

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(std::optional<Size>())})

 private:
  int64_t kernel() const;
  torch::Tensor magnified(const torch::Tensor& x);
};

TORCH_MODULE(Upsample);

}  // namespace hyperdefect::nn
