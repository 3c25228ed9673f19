// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/segmenter_detector.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>

#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/precision.h"
#include "hyperdefect/nn/losses.h"
#include "hyperdefect/spectral/angle.h"
#include "hyperdefect/spectral/dice.h"
#include "hyperdefect/spectral/gaussian.h"
#include "hyperdefect/spectral/turned.h"

namespace hyperdefect::model {
namespace {

constexpr std::int64_t kSpectra = 1024;
/// Implanted patches that an epoch learns from.
constexpr std::size_t kPool = 4;
constexpr double kAverageDecay = 0.97;
constexpr double kSmoothingPx = 0.5;
/// Statistics of fewer tokens of the bottleneck are worse than none: smaller patches are learned from several
/// at a time, and a smaller block is scored with the statistics of the training.
constexpr std::int64_t kFewestTokens = 16;

/// The options of a network that tells objects from their surroundings. Its skip connections are safe: it has
/// nothing to copy.
ModelOptions network_options(const DetectorOptions& options) {
  ModelOptions network;
  network.features = options.segmenter.features;
  network.norm = "batch";
  network.full_resolution_block = true;
  network.lift = "linear";
  network.skip = "concat";
  network.skip_channels = 0;
  network.skip_full_resolution = true;
  network.heads = options.segmenter.heads;
  network.attention_window = options.model.attention_window;
  network.precision = options.model.precision;
  return network;
}

/// (n) of -1 and 1.
torch::Tensor random_signs(std::int64_t count, at::Generator& generator) {
  return torch::randint(2, {count}, generator, torch::kFloat) * 2 - 1;
}

}  // namespace

SegmenterDetector::SegmenterDetector(const DetectorOptions& options, const spectral::Bands& bands)
    : Detector("SegmenterDetector"), options_(options), statistics_(options.preprocess, kSpectra) {
  preprocess_ = register_module("preprocess", Preprocess(options.preprocess, bands));
  const auto components = preprocess_->components();
  context_ = register_module("context", ContextMaps(components));
  for (std::int64_t i = 0; i < options.segmenter.networks; ++i) {
    const auto build = [&] { return Network(network_options(options), components + context_->count(), 1); };
    networks_.push_back(register_module(text::cat("network", i), build()));
    averages_.push_back(register_module(text::cat("average", i), build()));
    averaging_.push_back(register_module(text::cat("averaging", i), WeightAverage(kAverageDecay)));
    for (const auto& parameter : averages_.back()->parameters()) {
      parameter.set_requires_grad(false);
    }
    norms_.push_back(
        register_module(text::cat("norms", i), NormStatistics(options.segmenter.draws, *averages_.back())));
  }
  spectra_ = register_buffer("spectra", torch::zeros({kSpectra, components}));
  mean_ = register_buffer("mean_score", torch::ones({1}));
}

void SegmenterDetector::observe(const spectral::Block& block) {
  if (!components_known_) {
    statistics_.observe(*preprocess_, block);
    return;
  }
  const auto prepared = prepare(block);
  context_->observe(context_->maps(prepared.values, prepared.valid), prepared.valid);
}

bool SegmenterDetector::finish() {
  const torch::NoGradGuard no_gradient;
  if (components_known_) {
    context_->finish();
    components_known_ = false;
    return false;
  }
  if (!statistics_.finish(*preprocess_)) {
    spectra_.copy_(statistics_.take_spectra(*preprocess_));
    context_->set_variances(preprocess_->variances(), options_.preprocess.power);
    components_known_ = true;
  }
  return true;
}

torch::Tensor SegmenterDetector::inputs_of(const torch::Tensor& components, const torch::Tensor& maps) const {
  const auto squeezed = components.sign() * components.abs().log1p();
  return torch::cat({squeezed, context_->logarithms(maps).to(components.device())});
}

torch::Tensor SegmenterDetector::with_signs(const torch::Tensor& inputs, const torch::Tensor& signs) const {
  const auto factors = torch::cat({signs, torch::ones({context_->count()})});
  return inputs * factors.to(inputs.device()).view({-1, 1, 1});
}

ImplantMaterial SegmenterDetector::material() const {
  return {spectra_.to(torch::kCPU), preprocess_->to_components().to(torch::kCPU),
          preprocess_->variances().to(torch::kCPU)};
}

void SegmenterDetector::implant(const torch::Tensor& components, const torch::Tensor& valid,
                                at::Generator& generator, Example& example) const {
  const torch::NoGradGuard no_gradient;
  const auto usable = valid.to(torch::kCPU);
  const auto scene = with_implants(components.to(torch::kCPU), usable, material(), generator);
  const auto maps = context_->maps(scene.components, usable);
  // What stands out without an implant may be a defect of the scene and is no example of what is none.
  const auto counts = context_->suspicious(maps).logical_not().logical_or(scene.label > 0);
  example.inputs = inputs_of(scene.components, maps).to(components.device());
  example.label = scene.label.to(components.device());
  example.weight = (scene.weight * counts).to(components.device());
}

/// Making an example costs more than a step: each serves several steps, with other signs and turns.
std::vector<std::function<void()>> SegmenterDetector::preparations(const Batch& batch,
                                                                   at::Generator& generator) {
  if (!is_training()) {
    pool_.clear();
  }
  std::vector<std::function<void()>> tasks;
  for (std::int64_t i = 0; i < batch.values.size(0) && pool_.size() < kPool; ++i) {
    auto& example = pool_.emplace_back();
    tasks.emplace_back(
        [this, &example, values = batch.values[i], valid = batch.valid[i],
         own = spectral::forked(generator)]() mutable { implant(values, valid, own, example); });
  }
  return tasks;
}

SegmenterDetector::Example SegmenterDetector::drawn_example(at::Generator& generator) const {
  spectral::Dice dice(generator);
  const auto& example = pool_[static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(pool_.size())))];
  const auto turn = dice.below(8);
  const auto signs = random_signs(preprocess_->components(), generator);
  return {spectral::turned(with_signs(example.inputs, signs), turn), spectral::turned(example.label, turn),
          spectral::turned(example.weight, turn)};
}

torch::Tensor SegmenterDetector::logits(Network& network, const torch::Tensor& inputs,
                                        const Window& window) const {
  const Precision precision(options_.model.precision, inputs.device());
  return network->forward(inputs, window).to(torch::kFloat).squeeze(1);
}

void SegmenterDetector::begin_epoch() {
  pool_.clear();
  steps_ = 0;
}

std::vector<std::size_t> SegmenterDetector::networks_of_step() {
  std::vector<std::size_t> drawn;
  if (!is_training()) {
    drawn.resize(networks_.size());
    std::iota(drawn.begin(), drawn.end(), std::size_t{0});
    return drawn;
  }
  const auto taken_after = [&](std::int64_t steps) {
    return std::llround(static_cast<double>(steps * static_cast<std::int64_t>(networks_.size())) *
                        options_.segmenter.share);
  };
  for (auto taken = taken_after(steps_); taken < taken_after(steps_ + 1); ++taken) {
    drawn.push_back(static_cast<std::size_t>(taken) % networks_.size());
  }
  ++steps_;
  return drawn;
}

/// Of the bottleneck.
std::int64_t SegmenterDetector::tokens_of(const Size& size) const {
  const auto along = [stride = networks_.front()->stride()](std::int64_t pixels) {
    return (pixels + stride - 1) / stride;
  };
  return along(size.rows) * along(size.cols);
}

torch::Tensor SegmenterDetector::network_loss(std::size_t which, at::Generator& generator) {
  if (is_training()) {
    averaging_[which]->update(*averages_[which], *networks_[which]);
  }
  std::vector<torch::Tensor> inputs, labels, weights;
  std::int64_t tokens = 0;
  // Scores, too, have the statistics of one look where it is large enough.
  while (tokens < kFewestTokens) {
    auto example = drawn_example(generator);
    tokens += tokens_of({example.label.size(0), example.label.size(1)});
    inputs.push_back(std::move(example.inputs));
    labels.push_back(std::move(example.label));
    weights.push_back(std::move(example.weight));
  }
  const auto found = logits(networks_[which], torch::stack(inputs), {}).unsqueeze(1);
  const auto loss =
      nn::binary_cross_entropy_loss(found, torch::stack(labels).unsqueeze(1), torch::stack(weights));
  return loss / static_cast<double>(networks_.size());
}

std::vector<Loss> SegmenterDetector::losses(const Batch&, at::Generator& generator) {
  std::vector<Loss> all;
  for (const auto which : networks_of_step()) {
    all.push_back(
        [this, which, own = spectral::forked(generator)]() mutable { return network_loss(which, own); });
  }
  return all;
}

torch::Tensor SegmenterDetector::raw_score(const spectral::Block& prepared, Statistics statistics) {
  const auto& components = prepared.values;
  const auto inputs = inputs_of(components, context_->maps(components, prepared.valid));
  const auto tokens = tokens_of({components.size(1), components.size(2)});
  auto sum = torch::zeros_like(components[0]);
  for (std::int64_t draw = 0; draw < options_.segmenter.draws; ++draw) {
    auto generator = at::detail::createCPUGenerator(derive_seed(0, text::cat("signs ", draw)));
    const auto look = with_signs(inputs, random_signs(components.size(0), generator)).unsqueeze(0);
    for (std::size_t i = 0; i < averages_.size(); ++i) {
      auto& network = averages_[i];
      const auto forward = [&] { return logits(network, look, prepared.window).squeeze(0); };
      if (statistics == Statistics::gather && tokens >= kFewestTokens) {
        sum += norms_[i]->gather(*network, draw, prepared.window.pixels(), forward);
      } else {
        norms_[i]->apply(*network, draw);
        sum += forward();
      }
    }
  }
  const auto mean = sum / static_cast<double>(options_.segmenter.draws * options_.segmenter.networks);
  // A network that was taught what an implant is is often sure. The root keeps the map from outweighing the
  // others of a sum, and finds less in a scene that holds nothing.
  return spectral::gaussian_smoothed(torch::softplus(mean), prepared.valid, kSmoothingPx).clamp_min(0).sqrt();
}

/// The mean score is that of scores with each block's own statistics, which is what score() gives up to the
/// difference between one block and all.
void SegmenterDetector::calibrate(const spectral::Block& block) {
  if (!calibrating_) {
    for (std::size_t i = 0; i < norms_.size(); ++i) {
      norms_[i]->begin(*averages_[i]);
    }
    calibrating_ = true;
  }
  const auto prepared = prepare(block);
  calibration_.add(raw_score(prepared, Statistics::gather).index({prepared.valid}));
}

void SegmenterDetector::finish_calibration() {
  const torch::NoGradGuard no_gradient;
  mean_.fill_(calibration_.take());
  calibrating_ = false;
}

double SegmenterDetector::bound_among_others() const {
  return options_.segmenter.bound > 0 ? options_.segmenter.bound : Detector::bound_among_others();
}

ScoreMaps SegmenterDetector::score(const spectral::Block& block) {
  const auto cube = preprocess_->on_device(block);
  const auto transformed = preprocess_->transformed(preprocess_->matched(cube.values));
  const auto components = preprocess_->whitened(transformed, cube.valid);
  const auto score =
      (raw_score({components, cube.valid, cube.window, cube.image}, Statistics::use) / mean_).cpu();
  const auto angle =
      spectral::spectral_angle_map(preprocess_->physical(transformed), preprocess_->mean_spectrum()).cpu();
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  return {torch::where(block.valid, score, nan), torch::where(block.valid, angle, nan), block.valid};
}

Field SegmenterDetector::field() const {
  auto field = networks_.front()->field();
  field.halo += ContextMapsImpl::halo() + spectral::gaussian_radius(kSmoothingPx);
  return field;
}

std::int64_t SegmenterDetector::bytes_per_pixel() const {
  const auto channels = preprocess_->components() + context_->count();
  const auto floats = 4 * preprocess_->features() + 8 * channels + 24 * options_.segmenter.features.front() +
                      8 * preprocess_->components();
  return floats * static_cast<std::int64_t>(sizeof(float));
}

std::string SegmenterDetector::summary() const {
  std::ostringstream page;
  preprocess_->pretty_print(page);
  page << "\nsegmenter: " << text::counted(options_.segmenter.networks, "network") << ", "
       << text::counted(options_.segmenter.draws, "look") << " each\n"
       << networks_.front()->summary();
  return page.str();
}

}  // namespace hyperdefect::model
