// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/nn/choices.h"

namespace hyperdefect::nn {

/// Every size and choice of a Network.
///
///     NetworkOptions options;
///     options.features = {32, 48, 64};
///     options.heads = 8;  // divides 64
///     options.skip = Skip::add;
///     Network network(options, 205, 205);
struct NetworkOptions {
  /// What messages put in front of an option's name: "autoencoder.".
  std::string prefix;
  /// Channels at full resolution and after each halving of it.
  std::vector<std::int64_t> features{48, 48, 48, 48};
  Norm norm = Norm::layer;
  /// Residual connections in the encoder's blocks.
  bool residual = true;
  /// A residual block before the first halving.
  bool full_resolution_block = false;
  /// A residual block after each stage of the decoder.
  bool decoder_blocks = false;
  /// The output is added to the input: the network begins as the identity.
  bool input_skip = false;
  Lift lift = Lift::spectral;
  std::int64_t lift_channels = 8;
  /// Over band, row and column.
  std::vector<std::int64_t> lift_kernel{7, 3, 3};
  std::vector<std::int64_t> lift_stride{4, 1, 1};
  bool lift_residual = false;
  Skip skip = Skip::concat;
  /// Channels that a concatenated skip connection is reduced to; 0 keeps them all.
  std::int64_t skip_channels = 8;
  bool skip_full_resolution = false;
  /// Of the self-attention at the bottleneck; 0 leaves it out.
  std::int64_t heads = 4;
  /// Side, in tokens, of the windows that attention reaches over.
  std::int64_t attention_window = 8;
  Upsampling upsample = Upsampling::bilinear;
  Arithmetic precision = Arithmetic::bfloat16;

  std::int64_t levels() const { return static_cast<std::int64_t>(features.size()) - 1; }
};

}  // namespace hyperdefect::nn
