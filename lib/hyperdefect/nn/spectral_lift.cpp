// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/spectral_lift.h"

#include "hyperdefect/nn/init.h"
#include "hyperdefect/nn/padding.h"
#include "hyperdefect/nn/shape_check.h"

namespace hyperdefect::nn {
namespace {

/// (N, C, H, W) -> (N H W, C).
torch::Tensor pixels_of(const torch::Tensor& x) {
  return x.permute({0, 2, 3, 1}).reshape({-1, x.size(1)});
}

/// (N H W, C) -> (N, C, H, W) of the shape of `like`, channels-last in memory.
torch::Tensor image_of(const torch::Tensor& pixels, const torch::Tensor& like) {
  return pixels.view({like.size(0), like.size(2), like.size(3), pixels.size(1)}).permute({0, 3, 1, 2});
}

/// A linear layer over the channels of each pixel: (N, C, H, W) -> (N, F, H, W), channels-last in memory.
torch::Tensor per_pixel(torch::nn::Linear& linear, const torch::Tensor& x) {
  return image_of(linear(pixels_of(x)), x);
}

/// (N, bands, H, W) of coefficients (N, K, H, W) in a basis (bands, K); x itself where there is none.
torch::Tensor on_bands(const torch::Tensor& x, const torch::Tensor& basis) {
  return basis.defined() ? image_of(torch::linear(pixels_of(x), basis), x) : x;
}

torch::Tensor activated(torch::Tensor y) {
  return torch::leaky_relu_(y, kLeakySlope);
}

torch::nn::Conv3dOptions conv_options(int64_t in, int64_t out, at::IntArrayRef kernel) {
  return {in, out, torch::ExpandingArray<3>(kernel)};
}

}  // namespace

SpectralLiftOptions::SpectralLiftOptions(int64_t bands, int64_t features)
    : bands_(bands), features_(features) {}

SpectralLiftImpl::SpectralLiftImpl(const SpectralLiftOptions& options_) : options(options_) {
  reset();
}

int64_t SpectralLiftImpl::out_bands() const {
  const auto step = options.mode() == Lift::linear ? 1 : options.stride()->at(0);
  return (options.bands() + step - 1) / step;
}

void SpectralLiftImpl::check_options() const {
  check_positive({options.bands(), options.features(), options.channels()}, "SpectralLift",
                 "bands, features and channels");
  const auto& kernel = *options.kernel();
  const auto& stride = *options.stride();
  for (const auto extent : kernel) {
    TORCH_CHECK(extent > 0 && extent % 2 == 1, "SpectralLift: kernel must be odd, got ",
                at::IntArrayRef(kernel));
  }
  TORCH_CHECK(stride[1] == 1 && stride[2] == 1, "SpectralLift: stride must be 1 along rows and columns, got ",
              at::IntArrayRef(stride));
  TORCH_CHECK(stride[0] >= 1 && stride[0] <= (kernel[0] + 1) / 2,
              "SpectralLift: stride along the bands must be 1 to ", (kernel[0] + 1) / 2, " with a kernel of ",
              kernel[0], " bands, got ", stride[0]);
}

void SpectralLiftImpl::register_convolutions() {
  const auto& kernel = *options.kernel();
  const auto channels = options.channels();
  spectral = spatial = volume = nullptr;
  if (options.mode() == Lift::spectral || options.mode() == Lift::factorised) {
    const auto along =
        conv_options(1, channels, {kernel[0], 1, 1}).stride(options.stride()).padding({kernel[0] / 2, 0, 0});
    spectral = register_module("spectral", torch::nn::Conv3d(along));
  }
  if (options.mode() == Lift::factorised) {
    spatial = register_module("spatial",
                              torch::nn::Conv3d(conv_options(channels, channels, {1, kernel[1], kernel[2]})));
  }
  if (options.mode() == Lift::full) {
    const auto all =
        conv_options(1, channels, kernel).stride(options.stride()).padding({kernel[0] / 2, 0, 0});
    volume = register_module("volume", torch::nn::Conv3d(all));
  }
}

void SpectralLiftImpl::reset() {
  check_options();
  register_convolutions();
  const auto per_band = options.mode() == Lift::linear ? 1 : options.channels();
  fold = register_module("fold", torch::nn::Linear(per_band * out_bands(), options.features()));
  shortcut = nullptr;
  if (options.residual() && options.mode() != Lift::linear) {
    shortcut = register_module(
        "shortcut",
        torch::nn::Linear(torch::nn::LinearOptions(options.bands(), options.features()).bias(false)));
  }
}

void SpectralLiftImpl::pretty_print(std::ostream& stream) const {
  stream << "hyperdefect::nn::SpectralLift(" << to_string(options.mode()) << ": (N, " << options.bands()
         << ", H, W)";
  if (options.mode() != Lift::linear) {
    stream << " -> unsqueeze (N, 1, " << options.bands() << ", H, W) -> convolve (N, " << options.channels()
           << ", " << out_bands() << ", H, W)";
  }
  stream << " -> fold (N, " << options.features() << ", H, W)" << (shortcut.is_empty() ? "" : " + shortcut")
         << ")";
}

torch::Tensor SpectralLiftImpl::padded(const torch::Tensor& x) const {
  const auto rows = options.kernel()->at(1) / 2;
  const auto cols = options.kernel()->at(2) / 2;
  return pad_margins(x, {rows, rows, cols, cols}, options.padding());
}

/// The convolution alone: (N, 1, bands, points) -> (N, channels, out_bands, points).
torch::Tensor SpectralLiftImpl::band_convolution(const torch::Tensor& plane, const torch::Tensor& bias) {
  return torch::conv2d(plane, spectral->weight.squeeze(4), bias, {options.stride()->at(0), 1},
                       {options.kernel()->at(0) / 2, 0});
}

torch::Tensor SpectralLiftImpl::along_bands(const torch::Tensor& x, const torch::Tensor& basis) {
  if (basis.defined()) {
    // It is linear up to here: applied to the basis once, it need not be applied to each pixel.
    const auto weight = band_convolution(basis.view({1, 1, basis.size(0), basis.size(1)}), {}).flatten(0, 2);
    // A matrix of pixels: of more axes it would be a view, and to activate a view in place costs its copies.
    const auto y = torch::linear(pixels_of(x), weight, spectral->bias.repeat_interleave(out_bands()));
    return image_of(activated(y), x).unflatten(1, {options.channels(), out_bands()});
  }
  const auto plane = x.contiguous().view({x.size(0), 1, options.bands(), x.size(2) * x.size(3)});
  return activated(band_convolution(plane, spectral->bias)).unflatten(3, {x.size(2), x.size(3)});
}

torch::Tensor SpectralLiftImpl::along_image(const torch::Tensor& volume_of_features) {
  const auto images = padded(volume_of_features.flatten(1, 2));
  return activated(spatial(images.unflatten(1, {options.channels(), out_bands()})));
}

torch::Tensor SpectralLiftImpl::along_all(const torch::Tensor& x) {
  return activated(volume(padded(x).unsqueeze(1)));
}

torch::Tensor SpectralLiftImpl::convolved(const torch::Tensor& x, const torch::Tensor& basis) {
  switch (options.mode()) {
    case Lift::spectral:
      return along_bands(x, basis).flatten(1, 2);
    case Lift::factorised:
      return along_image(along_bands(x, basis)).flatten(1, 2);
    case Lift::full:
      return along_all(on_bands(x, basis)).flatten(1, 2);
    case Lift::linear:
      break;
  }
  return on_bands(x, basis);
}

torch::Tensor SpectralLiftImpl::forward(const torch::Tensor& x, const torch::Tensor& basis) {
  if (basis.defined()) {
    TORCH_CHECK(basis.dim() == 2 && basis.size(0) == options.bands(), "SpectralLift: expected a basis (",
                options.bands(), ", coefficients), got ", basis.sizes());
    check_features(x, basis.size(1), "SpectralLift");
  } else {
    check_features(x, options.bands(), "SpectralLift");
  }
  const auto features = per_pixel(fold, convolved(x, basis));
  return shortcut.is_empty() ? features : features + per_pixel(shortcut, on_bands(x, basis));
}

}  // namespace hyperdefect::nn
