// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/conv.h>

#include <cstdint>

#include "hyperdefect/nn/choices.h"

namespace hyperdefect::nn {

/// Options of SkipConnection. Example: `SkipConnection skip(SkipConnectionOptions(96, 48).channels(8));`
struct SkipConnectionOptions {
  SkipConnectionOptions(int64_t decoder_channels, int64_t encoder_channels);
  TORCH_ARG(int64_t, decoder_channels);
  TORCH_ARG(int64_t, encoder_channels);
  TORCH_ARG(Skip, mode) = Skip::concat;
  /// With `concat`: the channels that a 1x1 convolution leaves of the encoder's features, so that the decoder
  /// cannot copy the input; 0 hands over all of them. `add` always projects to decoder_channels if they
  /// differ.
  TORCH_ARG(int64_t, channels) = 0;
};

/// Hands an encoder stage's output to the decoder stage of the same size: concatenated, added, or withheld
/// (Ronneberger et al., "U-Net", 2015).
///
/// Shape: decoder (N, decoder_channels, H', W'), encoder (N, encoder_channels, H, W) -> (N, out_channels(),
/// H, W). The encoder's size is the stage's: if upsampling an odd size left the decoder larger (H' >= H,
/// W' >= W) its last rows and columns are cropped, so pixels stay where they are in the image; a smaller
/// decoder is refused.
///
///     SkipConnection skip(SkipConnectionOptions(96, 48).channels(8));
///     const auto decoder = torch::randn({1, 96, 34, 20});
///     const auto encoder = torch::randn({1, 48, 33, 20});
///     const auto joined = skip(decoder, encoder);  // (1, 96 + 8, 33, 20)
class SkipConnectionImpl : public torch::nn::Cloneable<SkipConnectionImpl> {
 public:
  explicit SkipConnectionImpl(const SkipConnectionOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  torch::Tensor forward(const torch::Tensor& decoder, const torch::Tensor& encoder);
  int64_t out_channels() const;

  SkipConnectionOptions options;
  /// The 1x1 convolution of the encoder's features; null if there is none.
  torch::nn::Conv2d reduction{nullptr};

 private:
  /// The channels that the encoder contributes.
  int64_t handed_channels() const;
};

TORCH_MODULE(SkipConnection);

}  // namespace hyperdefect::nn
