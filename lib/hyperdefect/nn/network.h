// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/modules/conv.h>

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/core/window_plan.h"
#include "hyperdefect/nn/attention_block.h"
#include "hyperdefect/nn/conv_block.h"
#include "hyperdefect/nn/network_options.h"
#include "hyperdefect/nn/residual_block.h"
#include "hyperdefect/nn/skip_connection.h"
#include "hyperdefect/nn/spectral_lift.h"
#include "hyperdefect/nn/upsample.h"

namespace hyperdefect::nn {

/// The reconstructing network: spectral lift, an encoder that halves the resolution, multi-head
/// self-attention at the bottleneck, and a decoder with skip connections.
///
/// Shapes: (N, bands, rows, cols) -> (N, outputs, rows, cols), or with the coefficients of the spectra in a
/// basis instead of the bands, any rows and cols: the image is padded to the
/// stride at its lower and right border by reflection, and cropped back.
///
///     NetworkOptions options;
///     options.features = {32, 48, 64};  // halves the resolution twice
///     Network network(options, 205, 205);
///     network->initialise(at::detail::createCPUGenerator(7));
///     const auto y = network(torch::randn({1, 205, 64, 50}));  // (1, 205, 64, 50)
class NetworkImpl : public torch::nn::Module {
 public:
  /// @param coefficients how many coefficients spectra are given by; 0 if they are given band by band.
  /// @throws ConfigError, beginning with an option's name, if `heads` does not divide the features of the
  /// bottleneck, or the lift cannot have its kernel and stride.
  NetworkImpl(const NetworkOptions& options, std::int64_t bands, std::int64_t outputs,
              std::int64_t coefficients = 0);

  /// Draws the weights that training begins with.
  void initialise(const at::Generator& generator);

  /// @param place where x lies in the image, beginning at multiples of stride(): attention windows are
  /// anchored at the image.
  /// @param basis (bands, coefficients), if the spectra are given by coefficients.
  torch::Tensor forward(const torch::Tensor& x, const Window& place = {}, const torch::Tensor& basis = {});

  /// Pixels between two tokens of the bottleneck.
  std::int64_t stride() const { return std::int64_t{1} << options_.levels(); }
  /// What a pixel of the output depends on.
  ReceptiveField receptive_field() const;
  /// Multiply-adds for one pixel of a large image, counted layer by layer.
  double multiply_adds_per_pixel() const;
  /// Layers with their sizes, parameters, field and multiply-adds, a line each.
  std::string summary() const;

 private:
  /// What leads from one resolution to the next coarser one.
  struct EncoderStage {
    ConvBlock down{nullptr};
    ResidualBlock block{nullptr};
  };
  /// What leads from one resolution to the next finer one.
  struct DecoderStage {
    Upsample upsample{nullptr};
    SkipConnection skip{nullptr};
    ConvBlock join{nullptr};
    ResidualBlock block{nullptr};
  };

  void build_lift();
  void build_encoder();
  void build_decoder();
  ResidualBlock residual_block(const std::string& name, std::int64_t channels);
  void start_blocks_as_identity();
  torch::Tensor padded(const torch::Tensor& x) const;
  std::int64_t encoder_radius() const;
  std::int64_t decoder_radius() const;
  double lift_multiply_adds() const;
  double decoder_multiply_adds(std::int64_t level) const;
  bool has_skip(std::int64_t level) const { return level > 0 || options_.skip_full_resolution; }
  std::int64_t width(std::int64_t level) const { return options_.features[static_cast<std::size_t>(level)]; }

  NetworkOptions options_;
  std::int64_t bands_;
  std::int64_t outputs_;
  std::int64_t coefficients_;
  SpectralLift lift_{nullptr};
  ResidualBlock full_resolution_{nullptr};
  /// By level, from full resolution down.
  std::vector<EncoderStage> encoder_;
  AttentionBlock attention_{nullptr};
  std::vector<DecoderStage> decoder_;
  torch::nn::Conv2d head_{nullptr};
};
TORCH_MODULE(Network);

}  // namespace hyperdefect::nn
