// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/segmenter/segmenter_detector.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>
#include <sstream>
#include <utility>

#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/image/dihedral_transform.h"
#include "hyperdefect/image/gaussian.h"
#include "hyperdefect/image/random_source.h"
#include "hyperdefect/nn/losses.h"
#include "hyperdefect/nn/precision.h"
#include "hyperdefect/platform/task_pool.h"

namespace hyperdefect::detector {
namespace {

constexpr std::int64_t kSpectra = 1024;
/// Implanted patches that an epoch learns from.
constexpr std::size_t kPool = 4;
constexpr double kAverageDecay = 0.97;
constexpr double kSmoothingPx = 0.5;
/// Statistics of fewer tokens of the bottleneck are worse than none: smaller patches are learned from several
/// at a time, and smaller tiles leave the statistics of the training.
constexpr std::int64_t kFewestTokens = 16;

/// The options of a network that tells objects from their surroundings. Its skip connections are safe: it has
/// nothing to copy.
nn::NetworkOptions network_options(const SegmenterOptions& own, const DetectorOptions& all) {
  nn::NetworkOptions network;
  network.prefix = "segmenter.";
  network.features = own.features;
  network.norm = nn::Norm::batch;
  network.full_resolution_block = true;
  network.lift = nn::Lift::linear;
  network.skip = nn::Skip::concat;
  network.skip_channels = 0;
  network.skip_full_resolution = true;
  network.heads = own.heads;
  network.attention_window = all.attention_window;
  network.precision = all.precision;
  return network;
}

/// (n) of -1 and 1.
torch::Tensor random_signs(std::int64_t count, at::Generator& generator) {
  return torch::randint(2, {count}, generator, torch::kFloat) * 2 - 1;
}

}  // namespace

SegmenterDetector::SegmenterDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess)
    : Detector("SegmenterDetector", preprocess),
      options_(options.of<SegmenterOptions>()),
      precision_(options.precision),
      spec_(preprocess->network_components()) {
  context_ = register_module("context", ContextMaps(spec_.count));
  for (std::int64_t i = 0; i < options_.networks; ++i) {
    const auto build = [&] {
      return nn::Network(network_options(options_, options), spec_.count + context_->count(), 1);
    };
    networks_.emplace_back(register_module(text::concat("network", i), build()));
    averages_.emplace_back(register_module(text::concat("average", i), build()));
    averaging_.emplace_back(register_module(text::concat("averaging", i), nn::WeightAverage(kAverageDecay)));
    for (const auto& parameter : averages_.back()->parameters()) {
      parameter.set_requires_grad(false);
    }
    norms_.emplace_back(register_module(text::concat("norms", i),
                                        nn::NormStatistics(options_.sign_augmentations, *averages_.back())));
  }
  mean_ = register_buffer("mean_score", torch::ones({1}));
}

bool SegmenterDetector::begin() {
  context_->set_scales(preprocess(), spec_);
  return true;
}

void SegmenterDetector::accumulate(const preprocess::Preprocessed& block) {
  context_->accumulate(context_of(block), block);
}

bool SegmenterDetector::finalise() {
  context_->finalise();
  return false;
}

torch::Tensor SegmenterDetector::context_of(const preprocess::Preprocessed& block) const {
  return context_->maps(block.components(spec_), block.valid(),
                        ContextMapsImpl::area_norms_of(preprocess(), block));
}

void SegmenterDetector::initialise(at::Generator& generator) {
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < networks_.size(); ++i) {
    networks_[i]->initialise(generator);
    const auto weights = networks_[i]->parameters();
    std::size_t place = 0;
    for (auto& average : averages_[i]->parameters()) {
      average.copy_(weights[place++]);
    }
  }
}

torch::Tensor SegmenterDetector::inputs_of(const torch::Tensor& components, const torch::Tensor& maps) const {
  const auto squeezed = components.sign() * components.abs().log1p();
  return torch::cat({squeezed, context_->logarithms(maps).to(components.device())});
}

torch::Tensor SegmenterDetector::with_signs(const torch::Tensor& inputs, const torch::Tensor& signs) const {
  const auto factors = torch::cat({signs, torch::ones({context_->count()})});
  return inputs * factors.to(inputs.device()).view({-1, 1, 1});
}

synthetic::ImplantMaterial SegmenterDetector::material() const {
  return {preprocess().sampled(spec_).cpu(), preprocess().to_components(spec_).cpu(),
          preprocess().variances(spec_).cpu()};
}

void SegmenterDetector::implant(const torch::Tensor& components, const torch::Tensor& valid,
                                at::Generator& generator, Example& example) const {
  const torch::NoGradGuard no_gradient;
  const auto usable = valid.to(torch::kCPU);
  const auto scene = synthetic::with_implants(components.to(torch::kCPU), usable, material(), generator);
  const auto maps = context_->maps(scene.components, usable);
  // What stands out without an implant may be a defect of the scene and is no example of what is none.
  const auto counts = context_->suspicious(maps).logical_not().logical_or(scene.label > 0);
  example.inputs = inputs_of(scene.components, maps).to(components.device());
  example.label = scene.label.to(components.device());
  example.weight = (scene.weight * counts).to(components.device());
}

/// Making an example costs more than a step: each serves several steps, with other signs and turns. It is a
/// part of the losses, so that other networks learn at the same time.
std::function<void()> SegmenterDetector::preparation(const Batch& batch, at::Generator& generator) {
  if (!is_training()) {
    pool_.clear();
  }
  std::vector<std::function<void()>> tasks;
  for (std::int64_t i = 0; i < batch.values.size(0) && pool_.size() < kPool; ++i) {
    auto& example = pool_.emplace_back();
    tasks.emplace_back([this, &example, values = batch.values[i], valid = batch.valid[i],
                        own = image::split(generator)]() mutable { implant(values, valid, own, example); });
  }
  if (tasks.empty()) {
    return {};
  }
  return [tasks = std::move(tasks), once = std::make_shared<std::once_flag>()] {
    std::call_once(*once,
                   [&] { std::for_each(tasks.begin(), tasks.end(), [](const auto& task) { task(); }); });
  };
}

SegmenterDetector::Example SegmenterDetector::drawn_example(at::Generator& generator) const {
  image::RandomSource random(generator);
  const auto& example =
      pool_[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(pool_.size())))];
  const auto turn = random.below(8);
  const auto signs = random_signs(spec_.count, generator);
  return {image::dihedral_transform(with_signs(example.inputs, signs), turn),
          image::dihedral_transform(example.label, turn), image::dihedral_transform(example.weight, turn)};
}

torch::Tensor SegmenterDetector::logits(nn::Network network, const torch::Tensor& inputs,
                                        const Window& window) const {
  const nn::Precision precision(precision_, inputs.device());
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
                        options_.step_fraction);
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

std::vector<Loss> SegmenterDetector::losses(const Batch& batch, at::Generator& generator) {
  const auto prepare = preparation(batch, generator);
  std::vector<Loss> all;
  for (const auto which : networks_of_step()) {
    all.emplace_back([this, which, prepare, own = image::split(generator)]() mutable {
      if (prepare) {
        prepare();
      }
      return network_loss(which, own);
    });
  }
  if (all.empty() && prepare) {
    all.emplace_back([prepare] {
      prepare();
      return torch::Tensor();
    });
  }
  return all;
}

torch::Tensor SegmenterDetector::raw_score(const preprocess::Preprocessed& block,
                                           const WithStatistics& with_statistics) const {
  const torch::NoGradGuard no_gradient;
  const auto components = block.components(spec_);
  const auto inputs = inputs_of(components, context_of(block));
  const auto networks = averages_.size();
  std::vector<torch::Tensor> found(networks * static_cast<std::size_t>(options_.sign_augmentations));
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; i < found.size(); ++i) {
    tasks.emplace_back([&, i] {
      const auto draw = static_cast<std::int64_t>(i / networks);
      auto generator = at::detail::createCPUGenerator(derive_seed(0, text::concat("signs ", draw)));
      const auto look = with_signs(inputs, random_signs(components.size(0), generator)).unsqueeze(0);
      found[i] = with_statistics(i % networks, draw, [&] {
        return logits(averages_[i % networks], look, block.window()).squeeze(0);
      });
    });
  }
  platform::TaskPool(components.device()).run(tasks);
  const auto mean = torch::stack(found).sum(0) / static_cast<double>(found.size());
  // A network that was taught what an implant is is often sure. The root keeps the map from outweighing the
  // others of a sum, and finds less in a scene that holds nothing.
  return image::gaussian_smoothed(torch::softplus(mean), block.valid(), kSmoothingPx).clamp_min(0).sqrt();
}

void SegmenterDetector::adapt(const preprocess::Preprocessed& tile) {
  if (!adapting_) {
    for (std::size_t i = 0; i < norms_.size(); ++i) {
      norms_[i]->begin(*averages_[i]);
    }
    adapting_ = true;
  }
  const auto& window = tile.window();
  if (tokens_of(window.size()) >= kFewestTokens) {
    raw_score(tile, [&](std::size_t i, std::int64_t draw, const auto& forward) {
      return norms_[i]->gather(draw, window.pixels(), forward);
    });
  }
}

Measurement SegmenterDetector::calibrate(const preprocess::Preprocessed& block) {
  auto measured = measure(block);
  calibration_.add(measured.maps[0].index({block.counted()}));
  return measured;
}

void SegmenterDetector::finish_calibration() {
  const torch::NoGradGuard no_gradient;
  mean_.fill_(calibration_.take());
  adapting_ = false;
}

Measurement SegmenterDetector::measure(const preprocess::Preprocessed& block) const {
  return {{raw_score(block, [this](std::size_t i, std::int64_t draw, const auto& forward) {
    return norms_[i].ptr()->apply(draw, forward);
  })}};
}

Score SegmenterDetector::score(const preprocess::Preprocessed&, const Measurement& measured) const {
  return {measured.maps[0] / mean_};
}

double SegmenterDetector::fusion_cap() const {
  return options_.fusion_cap > 0 ? options_.fusion_cap : Detector::fusion_cap();
}

ReceptiveField SegmenterDetector::receptive_field() const {
  auto field = networks_.front()->receptive_field();
  field.halo += ContextMapsImpl::halo() + image::gaussian_radius(kSmoothingPx);
  return field;
}

std::int64_t SegmenterDetector::bytes_per_pixel() const {
  const auto channels = spec_.count + context_->count();
  const auto floats =
      4 * preprocess().features() + 8 * channels + 24 * options_.features.front() + 8 * spec_.count;
  return floats * static_cast<std::int64_t>(sizeof(float));
}

std::string SegmenterDetector::summary() const {
  std::ostringstream page;
  page << "segmenter: " << text::pluralise(options_.networks, "network") << ", "
       << text::pluralise(options_.sign_augmentations, "sign augmentation") << " each\n"
       << networks_.front()->summary();
  return page.str();
}

}  // namespace hyperdefect::detector
