// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>

#include "hyperdefect/nn/choices.h"

namespace hyperdefect::nn {

/// Options of SpectralLift. Example: `SpectralLift lift(SpectralLiftOptions(205, 48).stride({4, 1, 1}));`
struct SpectralLiftOptions {
  SpectralLiftOptions(int64_t bands, int64_t features);
  TORCH_ARG(int64_t, bands);
  TORCH_ARG(int64_t, features);
  TORCH_ARG(Lift, mode) = Lift::spectral;
  /// The channels of the 3-D convolutions.
  TORCH_ARG(int64_t, channels) = 8;
  /// Bands, rows and columns of the kernel; odd. `spectral` uses the bands only.
  TORCH_ARG(torch::ExpandingArray<3>, kernel) = {7, 3, 3};
  /// Steps along bands, rows and columns. Rows and columns: 1, a lift keeps every pixel. Bands: at most
  /// (kernel + 1) / 2, so that every band is seen.
  TORCH_ARG(torch::ExpandingArray<3>, stride) = {4, 1, 1};
  /// What lies beyond the image's border; beyond the first and last band lie zeros.
  TORCH_ARG(Padding, padding) = Padding::reflect;
  /// Whether a linear projection of the pixel's spectrum is added (without effect in mode `linear`).
  TORCH_ARG(bool, residual) = false;
};

/// Turns spectra into features: unsqueeze (N, bands, H, W) -> (N, 1, bands, H, W), 3-D convolutions over
/// (band, row, column) with LeakyReLU -> (N, channels, out_bands(), H, W), then one fully connected layer per
/// pixel that folds channels x bands -> (N, features, H, W).
///
/// Modes: `spectral` looks along the bands only (kernel k x 1 x 1), `factorised` then along rows and columns
/// (1 x k x k), `full` at all three at once, `linear` leaves the convolutions out. Few bands are no obstacle:
/// the spectral axis is padded.
///
/// The spectral convolution runs as a 2-D one over the plane of (bands, pixels), which needs no copies of the
/// bands: on 205 bands of 100 x 100 pixels three times as fast as conv3d forward and backward in float32,
/// fourteen times under bfloat16 autocast. `full` trains faster without autocast: conv3d's bfloat16 backward
/// is four times slower. An input that is contiguous (not channels-last) saves one copy; the result lies
/// channels-last. If spectra are given by coefficients in a basis, such as principal components, the
/// convolution along the bands is applied to the basis: one matrix product per pixel is left.
///
///     SpectralLift lift(SpectralLiftOptions(205, 48).stride({4, 1, 1}));
///     const auto spectra = torch::randn({1, 205, 30, 20});
///     const auto features = lift(spectra);  // (1, 48, 30, 20)
class SpectralLiftImpl : public torch::nn::Cloneable<SpectralLiftImpl> {
 public:
  explicit SpectralLiftImpl(const SpectralLiftOptions& options_);

  void reset() override;
  void pretty_print(std::ostream& stream) const override;
  /// @param basis (bands, K) if x (N, K, H, W) holds the coefficients of spectra in it; none if x
  /// (N, bands, H, W) is the spectra.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& basis = {});
  /// The bands that the strided convolution leaves: ceil(bands / stride); in mode `linear` all.
  int64_t out_bands() const;

  SpectralLiftOptions options;
  /// (k, 1, 1): modes spectral and factorised.
  torch::nn::Conv3d spectral{nullptr};
  /// (1, k, k): mode factorised.
  torch::nn::Conv3d spatial{nullptr};
  /// (k, k, k): mode full.
  torch::nn::Conv3d volume{nullptr};
  torch::nn::Linear fold{nullptr};
  /// Null without `residual`.
  torch::nn::Linear shortcut{nullptr};

 private:
  void check_options() const;
  void register_convolutions();
  torch::Tensor convolved(const torch::Tensor& x, const torch::Tensor& basis);
  torch::Tensor band_convolution(const torch::Tensor& plane, const torch::Tensor& bias);
  torch::Tensor along_bands(const torch::Tensor& x, const torch::Tensor& basis);
  torch::Tensor along_image(const torch::Tensor& volume_of_features);
  torch::Tensor along_all(const torch::Tensor& x);
  torch::Tensor padded(const torch::Tensor& x) const;
};

TORCH_MODULE(SpectralLift);

}  // namespace hyperdefect::nn
