// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/autoencoder/autoencoder_detector.h"

#include <algorithm>
#include <sstream>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/autoencoder/corruption.h"
#include "hyperdefect/image/pixel_hash.h"
#include "hyperdefect/image/random_source.h"
#include "hyperdefect/nn/losses.h"
#include "hyperdefect/nn/precision.h"
#include "hyperdefect/platform/task_pool.h"
#include "hyperdefect/spectral/angle.h"

namespace hyperdefect::detector {
namespace {

/// Spectra that masks are filled from.
constexpr std::int64_t kFillSpectra = preprocess::PreprocessImpl::kSampledSpectra;
constexpr std::int64_t kQuarters = 4;

void check(const LearningOptions& options) {
  if (options.defect_min_amplitude > options.defect_max_amplitude) {
    throw ConfigError(text::concat("autoencoder.defect_min_amplitude is ", options.defect_min_amplitude,
                                   "; it must not exceed autoencoder.defect_max_amplitude (",
                                   options.defect_max_amplitude, ")"));
  }
}

/// The maps of a Measurement.
constexpr std::size_t kResidual = 0;
constexpr std::size_t kDifference = 1;
constexpr std::size_t kSad = 2;
constexpr std::size_t kRx = 3;

ScoreParts parts_of(const Measurement& measured) {
  return {measured.maps[kResidual], measured.maps[kDifference], measured.maps[kSad], measured.maps[kRx]};
}

/// With what the networks of all detectors share.
AutoencoderOptions completed(AutoencoderOptions own, const DetectorOptions& all) {
  own.network.prefix = "autoencoder.";
  own.network.attention_window = all.attention_window;
  own.network.precision = all.precision;
  return own;
}

}  // namespace

AutoencoderDetector::AutoencoderDetector(const DetectorOptions& options,
                                         const preprocess::Preprocess& preprocess)
    : Detector("AutoencoderDetector", preprocess),
      options_(completed(options.of<AutoencoderOptions>(), options)),
      spec_(preprocess->network_components()) {
  check(options_.learning);
  network_ = register_module("network",
                             nn::Network(options_.network, preprocess->features(), spec_.count, spec_.count));
  const auto sizes = masked() ? static_cast<std::int64_t>(options_.learning.mask_sizes_px.size()) : 1;
  score_ = register_module("score", ResidualScore(options_.score, sizes, spec_.count));
}

std::vector<Loss> AutoencoderDetector::losses(const Batch& batch, at::Generator& generator) {
  return {[this, batch, own = image::split(generator)]() mutable {
    return options_.learning.corruption == Corruption::mask ? mask_loss(batch, own)
                                                            : synthetic_defect_loss(batch, own);
  }};
}

torch::Tensor AutoencoderDetector::mask_loss(const Batch& batch, at::Generator& generator) const {
  const auto& sizes = options_.learning.mask_sizes_px;
  const Size patch{batch.values.size(2), batch.values.size(3)};
  const auto drawn =
      torch::randint(static_cast<std::int64_t>(sizes.size()), {1}, generator, torch::kLong).item<int>();
  std::vector<torch::Tensor> masks;
  for (std::int64_t n = 0; n < batch.values.size(0); ++n) {
    masks.push_back(random_mask(patch, sizes[static_cast<std::size_t>(drawn)],
                                options_.learning.mask_fraction, generator));
  }
  const auto mask = torch::stack(masks).to(batch.values.device());
  const auto choice = torch::randint(kFillSpectra, mask.sizes(), generator, torch::kLong).to(mask.device());
  const auto fill = preprocess()
                        .sampled(spec_)
                        .index_select(0, choice.flatten())
                        .view({mask.size(0), patch.rows, patch.cols, -1});
  const auto input = torch::where(mask.unsqueeze(1), fill.permute({0, 3, 1, 2}), batch.values);
  const auto weight = mask.logical_and(batch.valid).to(torch::kFloat);
  return loss_of(reconstructed(input, {}), batch.values, weight);
}

/// A random change of brightness and slope for each patch, (N, components, 1, 1).
torch::Tensor AutoencoderDetector::random_illumination(std::int64_t patches, at::Generator& generator) const {
  const auto features = preprocess().features();
  const auto shape =
      torch::stack({torch::full({features}, options_.learning.gain),
                    torch::linspace(-options_.learning.tilt, options_.learning.tilt, features)});
  const auto amounts = torch::rand({patches, 2}, generator, torch::kFloat) * 2 - 1;
  return preprocess().component_change(
      amounts.matmul(shape).view({patches, features, 1, 1}).to(preprocess().device()), spec_);
}

torch::Tensor AutoencoderDetector::synthetic_defect_loss(const Batch& batch, at::Generator& generator) const {
  const auto& learning = options_.learning;
  const Size patch{batch.values.size(2), batch.values.size(3)};
  const DefectOptions defect{learning.defect_fraction, learning.defect_max_px, learning.defect_min_amplitude,
                             learning.defect_max_amplitude};
  std::vector<torch::Tensor> changes;
  std::vector<torch::Tensor> masks;
  for (std::int64_t n = 0; n < batch.values.size(0); ++n) {
    const auto defects = random_defects(preprocess().features(), patch, defect, generator);
    changes.push_back(defects.change);
    masks.push_back(defects.mask);
  }
  const auto target = batch.values + random_illumination(batch.values.size(0), generator);
  const auto input = target + preprocess().component_change(torch::stack(changes).to(target.device()), spec_);
  const auto mask = torch::stack(masks).to(target.device(), torch::kFloat);
  const auto weight = (1 + (learning.defect_weight - 1) * mask) * batch.valid;
  return loss_of(reconstructed(input, {}), target, weight);
}

torch::Tensor AutoencoderDetector::loss_of(const torch::Tensor& predicted, const torch::Tensor& target,
                                           const torch::Tensor& weight) const {
  const auto& learning = options_.learning;
  auto loss = learning.loss == ReconstructionLoss::root_mean_square
                  ? nn::root_mean_square_loss(predicted, target, weight)
                  : nn::squared_loss(predicted, target, weight);
  if (learning.sad_loss_weight > 0) {
    loss = loss + learning.sad_loss_weight * nn::cosine_loss(preprocess().spectra(predicted, spec_),
                                                             preprocess().spectra(target, spec_), weight);
  }
  return loss;
}

torch::Tensor AutoencoderDetector::reconstructed(const torch::Tensor& components,
                                                 const Window& window) const {
  const nn::Precision precision(options_.network.precision, components.device());
  const auto output =
      network_.ptr()->forward(components, window, preprocess().band_axes(spec_)).to(torch::kFloat);
  return options_.network.input_skip ? components + output : output;
}

/// Hides each quarter of the cells in turn, so that every pixel is predicted once without being seen.
torch::Tensor AutoencoderDetector::masked_prediction(const torch::Tensor& components, const Window& window,
                                                     std::int64_t size_px, std::int64_t repeat) const {
  const auto spectra = preprocess().sampled(spec_);
  const auto seed = derive_seed(static_cast<std::uint64_t>(size_px), text::concat("round ", repeat));
  const CellGrid grid{size_px, static_cast<std::int64_t>(seed % static_cast<std::uint64_t>(size_px)),
                      static_cast<std::int64_t>((seed >> 32) % static_cast<std::uint64_t>(size_px))};
  const auto choice = image::pixel_hash(window, kFillSpectra, seed);
  const auto fill =
      spectra.index_select(0, choice.flatten().to(spectra.device())).t().reshape(components.sizes());
  auto sum = torch::zeros_like(components);
  for (std::int64_t quarter = 0; quarter < kQuarters; ++quarter) {
    const auto mask = quarter_mask(window, grid, quarter).to(components.device()).unsqueeze(0);
    const auto input = torch::where(mask, fill, components);
    sum += torch::where(mask, reconstructed(input.unsqueeze(0), window).squeeze(0), 0.0F);
  }
  return sum;
}

/// One prediction for each size of the masks. Passes that do not depend on each other run side by side: small
/// networks take less time so than with all threads in each.
std::vector<torch::Tensor> AutoencoderDetector::predictions(const torch::Tensor& components,
                                                            const Window& window) const {
  if (!masked()) {
    return {reconstructed(components.unsqueeze(0), window).squeeze(0)};
  }
  const auto& sizes = options_.learning.mask_sizes_px;
  const auto repeats = static_cast<std::size_t>(options_.score.mask_repeats);
  std::vector<torch::Tensor> single(sizes.size() * repeats);
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; i < single.size(); ++i) {
    tasks.emplace_back([&, i] {
      single[i] =
          masked_prediction(components, window, sizes[i / repeats], static_cast<std::int64_t>(i % repeats));
    });
  }
  platform::TaskPool(components.device()).run(tasks);
  std::vector<torch::Tensor> all;
  for (std::size_t i = 0; i < single.size(); i += repeats) {
    for (std::size_t repeat = 1; repeat < repeats; ++repeat) {
      single[i] += single[i + repeat];
    }
    all.push_back(single[i] / static_cast<double>(repeats));
  }
  return all;
}

Measurement AutoencoderDetector::measure(const preprocess::Preprocessed& block) const {
  const torch::NoGradGuard no_gradient;
  const auto components = block.components(spec_);
  const auto predicted = predictions(components, block.window());
  std::vector<torch::Tensor> residuals;
  auto mean = torch::zeros_like(components);
  for (const auto& prediction : predicted) {
    residuals.push_back((prediction - components).square().mean(0).sqrt());
    mean += prediction / static_cast<double>(predicted.size());
  }
  Measurement measured{{torch::stack(residuals), components - mean, {}, {}}, mean, spec_};
  if (options_.score.sad_weight > 0) {
    measured.maps[kSad] = spectral::spectral_angle_map(preprocess().physical(block.features()),
                                                       preprocess().spectra(mean, spec_))
                              .to(torch::kFloat);
  }
  if (options_.score.rx_weight > 0) {
    measured.maps[kRx] = preprocess().rx_distance(block.features()).to(torch::kFloat);
  }
  return measured;
}

Measurement AutoencoderDetector::calibrate(const preprocess::Preprocessed& block) {
  auto measured = measure(block);
  score_->accumulate(parts_of(measured), block);
  return measured;
}

Score AutoencoderDetector::score(const preprocess::Preprocessed& block, const Measurement& measured) const {
  return {score_->forward(parts_of(measured), block.valid())};
}

ReceptiveField AutoencoderDetector::receptive_field() const {
  auto field = network_->receptive_field();
  field.halo += score_->halo();
  return field;
}

std::int64_t AutoencoderDetector::bytes_per_pixel() const {
  const auto lifted =
      options_.network.lift_channels * preprocess().features() / options_.network.lift_stride.front();
  const auto predictions = masked() ? static_cast<std::int64_t>(options_.learning.mask_sizes_px.size()) *
                                          options_.score.mask_repeats
                                    : 1;
  const auto at_once = std::min<std::int64_t>(predictions, at::get_num_threads());
  const auto floats = 6 * preprocess().features() +
                      at_once * (2 * lifted + 24 * options_.network.features.front()) +
                      (predictions + 6) * spec_.count;
  return floats * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t AutoencoderDetector::measurement_bytes_per_pixel() const {
  const auto floats = static_cast<std::int64_t>(options_.learning.mask_sizes_px.size()) + 2 * spec_.count + 2;
  return floats * static_cast<std::int64_t>(sizeof(float));
}

std::string AutoencoderDetector::summary() const {
  std::ostringstream page;
  page << network_->summary();
  const auto passes = masked() ? kQuarters * options_.score.mask_repeats *
                                     static_cast<std::int64_t>(options_.learning.mask_sizes_px.size())
                               : 1;
  page << "score: " << (masked() ? "masked" : "plain") << ", " << passes
       << (passes == 1 ? " pass" : " passes") << " of the network\n";
  return page.str();
}

}  // namespace hyperdefect::detector
