// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/network.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/nn/init.h"
#include "hyperdefect/nn/padding.h"

namespace hyperdefect::nn {
namespace {

/// Pixels that a 3x3 convolution reaches, and that an interpolation by two reaches on the coarse grid.
constexpr std::int64_t kReach = 1;
constexpr double kTaps = 9.0;

double squared(std::int64_t width) {
  return static_cast<double>(width * width);
}

std::int64_t parameters_of(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const auto& parameter : module.parameters()) {
    count += parameter.numel();
  }
  return count;
}

/// What a module prints of itself, without its children.
std::string headline(const torch::nn::Module& module) {
  std::ostringstream text;
  module.pretty_print(text);
  const auto line = text.str();
  const auto name = line.rfind("::", line.find('('));
  return name == std::string::npos ? line : line.substr(name + 2);
}

}  // namespace

NetworkImpl::NetworkImpl(const NetworkOptions& options, std::int64_t bands, std::int64_t outputs,
                         std::int64_t coefficients)
    : torch::nn::Module("Network"),
      options_(options),
      bands_(bands),
      outputs_(outputs),
      coefficients_(coefficients) {
  const auto bottleneck = width(options.levels());
  if (options.heads > 0 && bottleneck % options.heads != 0) {
    throw ConfigError(text::concat(options.prefix, "heads is ", options.heads,
                                   "; it must divide the last of features (", bottleneck, ")"));
  }
  build_lift();
  build_encoder();
  if (options.heads > 0) {
    attention_ = register_module(
        "attention",
        AttentionBlock(AttentionBlockOptions(bottleneck, options.heads).window(options.attention_window)));
  }
  build_decoder();
  head_ = register_module("head", torch::nn::Conv2d(torch::nn::Conv2dOptions(width(0), outputs, 1)));
}

void NetworkImpl::initialise(const at::Generator& generator) {
  for (const auto& child : children()) {
    nn::initialise(*child, generator);
  }
  start_blocks_as_identity();
}

void NetworkImpl::build_lift() {
  const auto lift = SpectralLiftOptions(bands_, width(0))
                        .mode(options_.lift)
                        .channels(options_.lift_channels)
                        .kernel(at::IntArrayRef(options_.lift_kernel))
                        .stride(at::IntArrayRef(options_.lift_stride))
                        .residual(options_.lift_residual);
  try {
    lift_ = register_module("lift", SpectralLift(lift));
  } catch (const c10::Error& refusal) {
    throw ConfigError(text::concat(options_.prefix, "lift_kernel and lift_stride do not go together: ",
                                   refusal.what_without_backtrace()));
  }
}

ResidualBlock NetworkImpl::residual_block(const std::string& name, std::int64_t channels) {
  return register_module(
      name, ResidualBlock(
                ResidualBlockOptions(channels, channels).norm(options_.norm).residual(options_.residual)));
}

void NetworkImpl::build_encoder() {
  if (options_.full_resolution_block) {
    full_resolution_ = residual_block("full_resolution", width(0));
  }
  for (std::int64_t level = 0; level < options_.levels(); ++level) {
    EncoderStage stage;
    stage.down = register_module(
        text::concat("down", level + 1),
        ConvBlock(ConvBlockOptions(width(level), width(level + 1)).stride(2).norm(options_.norm)));
    stage.block = residual_block(text::concat("encoder", level + 1), width(level + 1));
    encoder_.push_back(std::move(stage));
  }
}

void NetworkImpl::build_decoder() {
  for (std::int64_t level = 0; level < options_.levels(); ++level) {
    DecoderStage stage;
    stage.upsample = register_module(text::concat("upsample", level),
                                     Upsample(UpsampleOptions(width(level + 1)).mode(options_.upsample)));
    const auto mode = has_skip(level) ? options_.skip : Skip::none;
    stage.skip =
        register_module(text::concat("skip", level),
                        SkipConnection(SkipConnectionOptions(width(level + 1), width(level))
                                           .mode(mode)
                                           .channels(mode == Skip::concat ? options_.skip_channels : 0)));
    stage.join = register_module(
        text::concat("decoder", level),
        ConvBlock(ConvBlockOptions(stage.skip->out_channels(), width(level)).norm(options_.norm)));
    if (options_.decoder_blocks) {
      stage.block = residual_block(text::concat("decoder_block", level), width(level));
    }
    decoder_.push_back(std::move(stage));
  }
}

/// Without a normalisation a residual block begins as the identity, and a network with input_skip too: its
/// variance would grow from block to block otherwise.
void NetworkImpl::start_blocks_as_identity() {
  const torch::NoGradGuard no_gradient;
  if (options_.norm == Norm::none && options_.residual) {
    for (const auto& module : children()) {
      if (auto* block = module->as<ResidualBlock>()) {
        block->second->conv->weight.zero_();
      }
    }
  }
  if (options_.input_skip) {
    head_->weight.zero_();
  }
}

torch::Tensor NetworkImpl::padded(const torch::Tensor& x) const {
  const auto missing = [this](std::int64_t size) { return (stride() - size % stride()) % stride(); };
  return pad_margins(x, {.bottom = missing(x.size(-2)), .right = missing(x.size(-1))}, Padding::reflect);
}

torch::Tensor NetworkImpl::forward(const torch::Tensor& x, const Window& place, const torch::Tensor& basis) {
  const auto channels = coefficients_ > 0 ? coefficients_ : bands_;
  TORCH_CHECK(x.dim() == 4 && x.size(1) == channels, "Network: expected (N, ", channels,
              ", rows, cols), got ", x.sizes());
  TORCH_CHECK(basis.defined() == (coefficients_ > 0), "Network: a basis goes with coefficients, ",
              coefficients_, " are expected");
  auto features = lift_->forward(padded(x), basis).contiguous(at::MemoryFormat::ChannelsLast);
  if (full_resolution_) {
    features = full_resolution_->forward(features);
  }
  std::vector<torch::Tensor> stages;
  for (auto& stage : encoder_) {
    stages.push_back(features);
    features = stage.block->forward(stage.down->forward(features));
  }
  if (attention_) {
    features = attention_->forward(features, place.row / stride(), place.col / stride());
  }
  for (std::size_t level = decoder_.size(); level-- > 0;) {
    auto& stage = decoder_[level];
    features = stage.join->forward(stage.skip->forward(stage.upsample->forward(features), stages[level]));
    if (stage.block) {
      features = stage.block->forward(features);
    }
  }
  return cropped(head_->forward(features), {x.size(2), x.size(3)});
}

/// Pixels around a token that it sees.
std::int64_t NetworkImpl::encoder_radius() const {
  const bool spectral_only = options_.lift == Lift::spectral || options_.lift == Lift::linear;
  std::int64_t radius = spectral_only ? 0 : options_.lift_kernel.back() / 2;
  radius += options_.full_resolution_block ? 2 * kReach : 0;
  for (std::int64_t level = 0; level < options_.levels(); ++level) {
    const auto pixels = std::int64_t{1} << level;
    radius += kReach * pixels + 2 * kReach * 2 * pixels;
  }
  return radius;
}

/// Pixels around an output pixel whose tokens it sees.
std::int64_t NetworkImpl::decoder_radius() const {
  std::int64_t radius = 0;
  for (std::int64_t level = 0; level < options_.levels(); ++level) {
    const auto pixels = std::int64_t{1} << level;
    radius += (options_.decoder_blocks ? 3 : 1) * kReach * pixels + kReach * 2 * pixels;
  }
  return radius;
}

ReceptiveField NetworkImpl::receptive_field() const {
  if (!attention_) {
    return {stride(), decoder_radius() + encoder_radius() + stride()};
  }
  // A token sees its whole attention window, and each token there what the encoder reaches. Blocks begin at
  // windows: a halo of the decoder's reach plus whole windows for the encoder's leaves all of that inside the
  // block.
  const auto window = options_.attention_window * stride();
  const auto context = (encoder_radius() + window - 1) / window * window;
  return {window, decoder_radius() + context};
}

double NetworkImpl::lift_multiply_adds() const {
  const auto along_bands = lift_->spectral.is_empty() ? 0 : parameters_of(*lift_->spectral);
  const auto product = lift_->spectral.is_empty()
                           ? coefficients_ * bands_
                           : (coefficients_ + 1) * options_.lift_channels * lift_->out_bands();
  // Each weight of a convolution is used once for every band that it leaves. Of coefficients, the one along
  // the bands is a part of the product with the basis.
  const auto convolutions = parameters_of(*lift_) - parameters_of(*lift_->fold) -
                            (lift_->shortcut.is_empty() ? 0 : parameters_of(*lift_->shortcut));
  const auto spared = coefficients_ > 0 ? along_bands : 0;
  return static_cast<double>((convolutions - spared) * lift_->out_bands() + parameters_of(*lift_) -
                             convolutions + (coefficients_ > 0 ? product : 0));
}

double NetworkImpl::decoder_multiply_adds(std::int64_t level) const {
  const auto& skip = decoder_[static_cast<std::size_t>(level)].skip;
  const double joined = static_cast<double>(skip->out_channels() * width(level));
  const double reduced = static_cast<double>(parameters_of(*skip));
  const double block = options_.decoder_blocks ? 2 * kTaps * squared(width(level)) : 0.0;
  const double transposed =
      options_.upsample == Upsampling::transposed_conv ? squared(width(level + 1)) : 0.0;
  return kTaps * joined + reduced + block + transposed;
}

double NetworkImpl::multiply_adds_per_pixel() const {
  double sum = lift_multiply_adds() + static_cast<double>(width(0) * outputs_);
  sum += options_.full_resolution_block ? 2 * kTaps * squared(width(0)) : 0.0;
  double pixels = 1.0;
  for (std::int64_t level = 0; level < options_.levels(); ++level) {
    sum += pixels * decoder_multiply_adds(level);
    pixels /= 4.0;
    sum += pixels * kTaps *
           (static_cast<double>(width(level) * width(level + 1)) + 2 * squared(width(level + 1)));
  }
  if (attention_) {
    const double tokens = static_cast<double>(options_.attention_window * options_.attention_window);
    const double channels = static_cast<double>(width(options_.levels()));
    sum += pixels * (static_cast<double>(parameters_of(*attention_)) + 2.0 * tokens * channels);
  }
  return sum;
}

std::string NetworkImpl::summary() const {
  std::ostringstream page;
  page << "network: (N, " << (coefficients_ > 0 ? coefficients_ : bands_) << ", rows, cols) -> (N, "
       << outputs_ << ", rows, cols)\n";
  for (const auto& child : named_children()) {
    page << "  " << std::left << std::setw(16) << child.key() << std::right << std::setw(8)
         << parameters_of(*child.value()) << "  " << headline(*child.value()) << '\n';
  }
  page << "parameters: " << parameters_of(*this) << "\nstride: " << stride()
       << " pixels\nreceptive field: " << 2 * (encoder_radius() + decoder_radius()) + 1 << " pixels";
  if (attention_) {
    page << ", and by attention the windows of " << options_.attention_window * stride()
         << " pixels that it touches";
  }
  page << "\nmultiply-adds per pixel: " << std::llround(multiply_adds_per_pixel()) << '\n';
  return page.str();
}

}  // namespace hyperdefect::nn
