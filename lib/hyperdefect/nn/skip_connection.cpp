// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/skip_connection.h"

#include "hyperdefect/nn/padding.h"
#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {
namespace {

/// The gradient of one of several concatenated maps is a slice whose pixels lie apart, on which torch
/// interpolates backward twice as slowly. A leaf is let alone: a hook would stay with it, once for each pass.
/// The hook is on x itself, as a view of a single image can forget that its channels come last in memory.
torch::Tensor with_packed_gradient(const torch::Tensor& x) {
  if (x.requires_grad() && !x.is_leaf()) {
    x.register_hook([format = x.suggest_memory_format()](const torch::Tensor& gradient) {
      return gradient.contiguous(format);
    });
  }
  return x;
}

}  // namespace

SkipConnectionOptions::SkipConnectionOptions(int64_t decoder_channels, int64_t encoder_channels)
    : decoder_channels_(decoder_channels), encoder_channels_(encoder_channels) {}

SkipConnectionImpl::SkipConnectionImpl(const SkipConnectionOptions& options_) : options(options_) {
  reset();
}

int64_t SkipConnectionImpl::handed_channels() const {
  switch (options.mode()) {
    case Skip::concat:
      return options.channels() > 0 ? options.channels() : options.encoder_channels();
    case Skip::add:
      return options.decoder_channels();
    case Skip::none:
      break;
  }
  return 0;
}

int64_t SkipConnectionImpl::out_channels() const {
  return options.decoder_channels() + (options.mode() == Skip::concat ? handed_channels() : 0);
}

void SkipConnectionImpl::reset() {
  check_positive({options.decoder_channels(), options.encoder_channels()}, "SkipConnection", "channels");
  TORCH_CHECK(options.channels() >= 0, "SkipConnection: channels must be at least 0, got ",
              options.channels());
  reduction = nullptr;
  const bool reduced =
      options.mode() == Skip::concat
          ? options.channels() > 0
          : options.mode() == Skip::add && options.decoder_channels() != options.encoder_channels();
  if (reduced) {
    reduction = register_module("reduction", torch::nn::Conv2d(torch::nn::Conv2dOptions(
                                                 options.encoder_channels(), handed_channels(), 1)));
  }
}

void SkipConnectionImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::SkipConnection(" << to_string(options.mode()) << ": decoder "
         << options.decoder_channels() << ", encoder " << options.encoder_channels() << " -> "
         << out_channels() << ")";
}

torch::Tensor SkipConnectionImpl::forward(const torch::Tensor& decoder, const torch::Tensor& encoder) {
  check_features(decoder, options.decoder_channels(), "SkipConnection, decoder");
  check_features(encoder, options.encoder_channels(), "SkipConnection, encoder");
  TORCH_CHECK(decoder.size(2) >= encoder.size(2) && decoder.size(3) >= encoder.size(3),
              "SkipConnection: expected a decoder at least as large as the encoder's ", encoder.sizes(),
              ", got ", decoder.sizes());
  const auto fitting = cropped(decoder, {encoder.size(2), encoder.size(3)});
  if (options.mode() == Skip::none) {
    return fitting;
  }
  const auto handed = reduction.is_empty() ? encoder : reduction(encoder);
  return options.mode() == Skip::add ? fitting + handed
                                     : torch::cat({with_packed_gradient(fitting), handed}, 1);
}

}  // namespace hyperdefect::nn
