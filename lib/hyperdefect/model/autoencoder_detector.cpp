// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/autoencoder_detector.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/corruption.h"
#include "hyperdefect/model/precision.h"
#include "hyperdefect/nn/losses.h"
#include "hyperdefect/spectral/angle.h"
#include "hyperdefect/spectral/dice.h"

namespace hyperdefect::model {
namespace {

/// Spectra that holes are filled from.
constexpr std::int64_t kFillSpectra = 1024;
constexpr std::int64_t kQuarters = 4;

void check(const LearningOptions& options) {
  if (options.defect_min_amplitude > options.defect_max_amplitude) {
    throw ConfigError(text::cat("train.defect_min_amplitude is ", options.defect_min_amplitude,
                                ", it must not exceed train.defect_max_amplitude (",
                                options.defect_max_amplitude, ")"));
  }
}

}  // namespace

AutoencoderDetector::AutoencoderDetector(const DetectorOptions& options, const spectral::Bands& bands)
    : Detector("AutoencoderDetector"), options_(options), statistics_(options.preprocess, kFillSpectra) {
  check(options.learning);
  preprocess_ = register_module("preprocess", Preprocess(options.preprocess, bands));
  const auto components = preprocess_->components();
  network_ =
      register_module("network", Network(options.model, preprocess_->features(), components, components));
  const auto sizes = masked() ? static_cast<std::int64_t>(options.learning.hole_sizes_px.size()) : 1;
  spectra_ = register_buffer("spectra", torch::zeros({kFillSpectra, components}));
  score_ = register_module("score", Score(options.score, sizes, components));
}

void AutoencoderDetector::observe(const spectral::Block& block) {
  statistics_.observe(*preprocess_, block);
}

bool AutoencoderDetector::finish() {
  const torch::NoGradGuard no_gradient;
  if (statistics_.finish(*preprocess_)) {
    return true;
  }
  spectra_.copy_(statistics_.take_spectra(*preprocess_));
  return false;
}

std::vector<Loss> AutoencoderDetector::losses(const Batch& batch, at::Generator& generator) {
  return {[this, batch, own = spectral::forked(generator)]() mutable {
    return options_.learning.corruption == "holes" ? hole_loss(batch, own) : defect_loss(batch, own);
  }};
}

torch::Tensor AutoencoderDetector::hole_loss(const Batch& batch, at::Generator& generator) {
  const auto& sizes = options_.learning.hole_sizes_px;
  const Size patch{batch.values.size(2), batch.values.size(3)};
  const auto drawn =
      torch::randint(static_cast<std::int64_t>(sizes.size()), {1}, generator, torch::kLong).item<int>();
  std::vector<torch::Tensor> masks;
  for (std::int64_t n = 0; n < batch.values.size(0); ++n) {
    masks.push_back(random_holes(patch, sizes[static_cast<std::size_t>(drawn)],
                                 options_.learning.hole_fraction, generator));
  }
  const auto mask = torch::stack(masks).to(batch.values.device());
  const auto choice = torch::randint(kFillSpectra, mask.sizes(), generator, torch::kLong).to(mask.device());
  const auto fill =
      spectra_.index_select(0, choice.flatten()).view({mask.size(0), patch.rows, patch.cols, -1});
  const auto input = torch::where(mask.unsqueeze(1), fill.permute({0, 3, 1, 2}), batch.values);
  const auto weight = mask.logical_and(batch.valid).to(torch::kFloat);
  return loss_of(reconstructed(input, {}), batch.values, weight);
}

/// A random change of brightness and slope for each patch, (N, components, 1, 1).
torch::Tensor AutoencoderDetector::random_illumination(std::int64_t patches, at::Generator& generator) const {
  const auto features = preprocess_->features();
  const auto shape =
      torch::stack({torch::full({features}, options_.learning.gain),
                    torch::linspace(-options_.learning.tilt, options_.learning.tilt, features)});
  const auto amounts = torch::rand({patches, 2}, generator, torch::kFloat) * 2 - 1;
  return preprocess_->whitened_change(
      amounts.matmul(shape).view({patches, features, 1, 1}).to(spectra_.device()));
}

torch::Tensor AutoencoderDetector::defect_loss(const Batch& batch, at::Generator& generator) {
  const auto& learning = options_.learning;
  const Size patch{batch.values.size(2), batch.values.size(3)};
  const DefectOptions defect{learning.defect_fraction, learning.defect_max_px, learning.defect_min_amplitude,
                             learning.defect_max_amplitude};
  std::vector<torch::Tensor> changes;
  std::vector<torch::Tensor> masks;
  for (std::int64_t n = 0; n < batch.values.size(0); ++n) {
    const auto defects = random_defects(preprocess_->features(), patch, defect, generator);
    changes.push_back(defects.change);
    masks.push_back(defects.mask);
  }
  const auto target = batch.values + random_illumination(batch.values.size(0), generator);
  const auto input = target + preprocess_->whitened_change(torch::stack(changes).to(target.device()));
  const auto mask = torch::stack(masks).to(target.device(), torch::kFloat);
  const auto weight = (1 + (learning.defect_weight - 1) * mask) * batch.valid;
  return loss_of(reconstructed(input, {}), target, weight);
}

torch::Tensor AutoencoderDetector::loss_of(const torch::Tensor& predicted, const torch::Tensor& target,
                                           const torch::Tensor& weight) const {
  const auto& learning = options_.learning;
  auto loss = learning.loss == "robust" ? nn::root_mean_square_loss(predicted, target, weight)
                                        : nn::squared_loss(predicted, target, weight);
  if (learning.sad_weight > 0) {
    loss = loss + learning.sad_weight *
                      nn::cosine_loss(preprocess_->spectra(predicted), preprocess_->spectra(target), weight);
  }
  return loss;
}

torch::Tensor AutoencoderDetector::reconstructed(const torch::Tensor& components, const Window& window) {
  const Precision precision(options_.model.precision, components.device());
  const auto output = network_->forward(components, window, preprocess_->band_axes()).to(torch::kFloat);
  return options_.model.input_skip ? components + output : output;
}

/// Hides each quarter of the cells in turn, so that every pixel is predicted once without being seen.
torch::Tensor AutoencoderDetector::masked_prediction(const torch::Tensor& components, const Window& window,
                                                     std::int64_t size_px) {
  auto sum = torch::zeros_like(components);
  for (std::int64_t round = 0; round < options_.score.rounds; ++round) {
    const auto seed = derive_seed(static_cast<std::uint64_t>(size_px), text::cat("round ", round));
    const CellGrid grid{size_px, static_cast<std::int64_t>(seed % static_cast<std::uint64_t>(size_px)),
                        static_cast<std::int64_t>((seed >> 32) % static_cast<std::uint64_t>(size_px))};
    const auto choice = pixel_choice(window, kFillSpectra, seed);
    const auto fill =
        spectra_.index_select(0, choice.flatten().to(spectra_.device())).t().reshape(components.sizes());
    for (std::int64_t quarter = 0; quarter < kQuarters; ++quarter) {
      const auto mask = quarter_mask(window, grid, quarter).to(components.device()).unsqueeze(0);
      const auto input = torch::where(mask, fill, components);
      sum += torch::where(mask, reconstructed(input.unsqueeze(0), window).squeeze(0), 0.0F);
    }
  }
  return sum / static_cast<double>(options_.score.rounds);
}

std::vector<torch::Tensor> AutoencoderDetector::predictions(const torch::Tensor& components,
                                                            const Window& window) {
  if (!masked()) {
    return {reconstructed(components.unsqueeze(0), window).squeeze(0)};
  }
  std::vector<torch::Tensor> all;
  for (const auto size_px : options_.learning.hole_sizes_px) {
    all.push_back(masked_prediction(components, window, size_px));
  }
  return all;
}

ScoreParts AutoencoderDetector::parts_of(const spectral::Block& block) {
  const auto transformed = preprocess_->transformed(preprocess_->matched(block.values));
  const auto components = preprocess_->whitened(transformed, block.valid);
  const auto predicted = predictions(components, block.window);
  std::vector<torch::Tensor> residuals;
  auto mean = torch::zeros_like(components);
  for (const auto& prediction : predicted) {
    residuals.push_back((prediction - components).square().mean(0).sqrt());
    mean += prediction / static_cast<double>(predicted.size());
  }
  const auto angle =
      spectral::spectral_angle_map(preprocess_->physical(transformed), preprocess_->spectra(mean));
  ScoreParts parts{torch::stack(residuals), components - mean, angle.to(torch::kFloat), {}};
  if (options_.score.rx_weight > 0) {
    parts.rx = preprocess_->rx_distance(transformed).to(torch::kFloat);
  }
  return parts;
}

void AutoencoderDetector::calibrate(const spectral::Block& block) {
  const auto moved = preprocess_->on_device(block);
  score_->observe(parts_of(moved), moved.valid);
}

void AutoencoderDetector::finish_calibration() {
  score_->finish();
}

ScoreMaps AutoencoderDetector::score(const spectral::Block& block) {
  const auto parts = parts_of(preprocess_->on_device(block));
  const auto valid = block.valid.cpu();
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto score = score_->forward(parts, block.valid.to(parts.sad_rad.device())).cpu();
  return {torch::where(valid, score, nan), torch::where(valid, parts.sad_rad.cpu(), nan), valid};
}

Field AutoencoderDetector::field() const {
  auto field = network_->field();
  field.halo += score_->halo();
  return field;
}

std::int64_t AutoencoderDetector::bytes_per_pixel() const {
  const auto lifted =
      options_.model.lift_channels * preprocess_->features() / options_.model.lift_stride.front();
  const auto floats =
      6 * preprocess_->features() + 2 * lifted + 24 * options_.model.features.front() +
      static_cast<std::int64_t>(options_.learning.hole_sizes_px.size() + 6) * preprocess_->components();
  return floats * static_cast<std::int64_t>(sizeof(float));
}

std::string AutoencoderDetector::summary() const {
  std::ostringstream page;
  preprocess_->pretty_print(page);
  page << "\n" << network_->summary();
  const auto passes = masked() ? kQuarters * options_.score.rounds *
                                     static_cast<std::int64_t>(options_.learning.hole_sizes_px.size())
                               : 1;
  page << "score: " << options_.score.passes << ", " << passes << (passes == 1 ? " pass" : " passes")
       << " of the network\n";
  return page.str();
}

}  // namespace hyperdefect::model
