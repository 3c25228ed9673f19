// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/likelihood_detector.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/angle.h"
#include "hyperdefect/spectral/normal_mixture.h"
#include "hyperdefect/spectral/smooth_prior.h"
#include "hyperdefect/spectral/trimmed_covariance.h"
#include "hyperdefect/spectral/whitening.h"
#include "hyperdefect/spectral/window_median.h"

namespace hyperdefect::model {
namespace {

/// Pairs of neighbours that the noise is estimated from, and pixels that the mixtures are fitted to.
constexpr std::int64_t kPairs = 1 << 14;
constexpr std::int64_t kPixels = 1 << 16;
/// Length scales of the changes that a defect may make, from a narrow absorption band to a broad slope.
const std::vector<double> kDefectLengthsNm{10, 20, 40, 80, 160, 320};
/// Length scale of a change of illumination.
constexpr double kTiltLengthNm = 300.0;
/// Variance that is added along each component, in units of the noise: a distribution narrower than the noise
/// is a chance of the sample.
constexpr double kRidge = 1.0;

/// What the normal spectra and their defects are made of, along the components.
void fill(const spectral::DefectLikelihood& target, const spectral::DefectLikelihood& fitted) {
  target.constants.copy_(fitted.constants);
  target.means.copy_(fitted.means);
  target.to.copy_(fitted.to);
  target.gains.copy_(fitted.gains);
}

}  // namespace

LikelihoodDetector::Gathered::Gathered(std::int64_t bands, std::int64_t features)
    : differences(kPairs),
      components(kPixels),
      sum(torch::zeros({bands}, torch::kDouble)),
      squares(torch::zeros({features}, torch::kDouble)) {}

LikelihoodDetector::LikelihoodDetector(const DetectorOptions& options, const spectral::Bands& bands)
    : Detector("LikelihoodDetector"),
      options_(options.likelihood),
      transform_(options.preprocess, bands),
      logarithmic_(options.preprocess.transform == "log"),
      components_(std::min(options_.components, transform_.features())) {
  mean_ = register_buffer("mean", torch::zeros({bands.count}, torch::kDouble));
  projection_ =
      register_buffer("projection", torch::zeros({components_, transform_.features()}, torch::kDouble));
  global_ = registered("global");
  local_ = registered("local");
}

spectral::DefectLikelihood LikelihoodDetector::registered(const std::string& name) {
  const auto parts = options_.mixture;
  const auto buffer = [&](const char* what, at::IntArrayRef shape) {
    return register_buffer(text::cat(name, "_", what), torch::zeros(shape, torch::kDouble));
  };
  return {buffer("constants", {parts}), buffer("means", {parts, components_}),
          buffer("axes", {parts, components_, components_}), buffer("gains", {parts, components_})};
}

/// Matched spectra (bands, rows, cols) -> (components, rows, cols), 0 where a pixel is invalid. In double:
/// between directions of much and of little noise single precision loses digits, and the sums would depend on
/// how the image is cut.
torch::Tensor LikelihoodDetector::components_of(const torch::Tensor& spectra,
                                                const torch::Tensor& valid) const {
  const auto usable = torch::where(valid, transform_.transformed(spectra).to(torch::kDouble), 0.0);
  return projection_.matmul(usable.flatten(1)).unflatten(1, {valid.size(0), valid.size(1)});
}

torch::Tensor LikelihoodDetector::less_background(const torch::Tensor& components,
                                                  const torch::Tensor& valid) const {
  return torch::where(valid, components - spectral::window_median(components, valid, reach()), 0.0);
}

/// The block with the model's bands, on the device of the statistics.
spectral::Block LikelihoodDetector::matched(const spectral::Block& block) const {
  return {transform_.matched(block.values.to(mean_.device())), block.valid.to(mean_.device()), block.window,
          block.image};
}

void LikelihoodDetector::observe(const spectral::Block& block) {
  if (!gathered_) {
    gathered_.emplace(bands().count, transform_.features());
  }
  const auto spectra = matched(block);
  if (gathered_->noise_is_known) {
    observe_components(spectra);
  } else {
    observe_noise(spectra);
  }
}

void LikelihoodDetector::observe_noise(const spectral::Block& spectra) {
  auto& seen = *gathered_;
  const auto& valid = spectra.valid;
  const auto features = transform_.transformed(spectra.values);
  const auto pairs = valid.slice(1, 0, -1).logical_and(valid.slice(1, 1));
  const auto differences = (features.slice(2, 1) - features.slice(2, 0, -1)) / std::sqrt(2.0);
  auto window = spectra.window;
  window.cols = pairs.size(1);
  seen.differences.add(differences.cpu(), pairs.cpu(), window);
  seen.sum += torch::where(valid, spectra.values.to(torch::kDouble), 0.0).sum({1, 2}).cpu();
  seen.squares += torch::where(valid, features.to(torch::kDouble), 0.0).square().sum({1, 2}).cpu();
  seen.count += valid.sum().item<std::int64_t>();
}

void LikelihoodDetector::observe_components(const spectral::Block& spectra) {
  const auto components = components_of(spectra.values, spectra.valid);
  const auto both = torch::cat({components, less_background(components, spectra.valid)});
  gathered_->components.add(both.cpu(), spectra.valid.cpu(), spectra.window);
}

bool LikelihoodDetector::finish() {
  check_enough();
  const torch::NoGradGuard no_gradient;
  if (!gathered_->noise_is_known) {
    learn_projection();
    gathered_->noise_is_known = true;
    return true;
  }
  learn_normal();
  gathered_.reset();
  return false;
}

void LikelihoodDetector::check_enough() const {
  const auto pairs = gathered_ ? gathered_->differences.count() : 0;
  if (pairs < 2) {
    throw InputError(text::cat("too few valid pixels to learn from: ", text::counted(pairs, "pair"),
                               " of horizontal neighbours, at least 2 are "
                               "needed; check no-data values and the cube's content"));
  }
  if (pairs < transform_.features() && !gathered_->noise_is_known) {
    log::warning(text::cat("the noise of ", transform_.features(), " bands or bins is estimated from ",
                           text::counted(pairs, "pair"),
                           " of neighbours only: take more training data or fewer preprocess.bins"));
  }
}

void LikelihoodDetector::learn_projection() {
  const auto noise = spectral::trimmed_covariance(gathered_->differences.spectra());
  const auto smooth = in_features(spectral::smooth_covariance(transform_.positions_nm(), kDefectLengthsNm));
  const auto whitening =
      spectral::noise_whitening(torch::zeros({transform_.features()}), smooth, noise, components_);
  projection_.zero_().narrow(0, 0, whitening.to.size(0)).copy_(whitening.to);
  mean_.copy_(gathered_->sum / static_cast<double>(gathered_->count));
}

/// (features, features): what relative changes of the spectra with this covariance are in the features. After
/// the logarithm they are the same; before it each is multiplied by the size of its feature.
torch::Tensor LikelihoodDetector::in_features(const torch::Tensor& covariance) const {
  if (logarithmic_) {
    return covariance;
  }
  const auto size = (gathered_->squares / static_cast<double>(gathered_->count)).sqrt();
  return covariance * torch::outer(size, size);
}

torch::Tensor LikelihoodDetector::in_components(const torch::Tensor& covariance) const {
  const auto projection = projection_.cpu();
  return projection.matmul(in_features(covariance)).matmul(projection.t());
}

void LikelihoodDetector::learn_normal() {
  const auto positions = transform_.positions_nm();
  const auto defect = in_components(spectral::smooth_covariance(positions, kDefectLengthsNm));
  const auto illumination =
      in_components(options_.gain * options_.gain +
                    options_.tilt * options_.tilt * spectral::smooth_covariance(positions, {kTiltLengthNm}));
  const auto both = gathered_->components.spectra();
  const spectral::MixtureOptions mixture{options_.mixture, kRidge};
  auto everywhere = spectral::fit_normal_mixture(both.slice(1, 0, components_), mixture);
  everywhere.covariances = everywhere.covariances + illumination;
  fill(global_, spectral::defect_likelihood(everywhere, defect));
  // A change of illumination is the same all over a window: the median has taken it away.
  const auto nearby = spectral::fit_normal_mixture(both.slice(1, components_), mixture);
  fill(local_, spectral::defect_likelihood(nearby, defect));
}

spectral::Block LikelihoodDetector::prepare(const spectral::Block& block) const {
  auto prepared = matched(block);
  prepared.values = components_of(prepared.values, prepared.valid);
  return prepared;
}

torch::Tensor LikelihoodDetector::ratio(const torch::Tensor& components, const torch::Tensor& valid) const {
  auto sum = torch::zeros(valid.sizes(), components.options());
  if (options_.global_weight > 0) {
    sum += options_.global_weight * spectral::defect_ratio(global_, components);
  }
  if (options_.local_weight > 0 || options_.coherence_weight > 0) {
    const auto local = less_background(components, valid);
    sum += options_.local_weight * spectral::defect_ratio(local_, local);
    sum += options_.coherence_weight * spectral::shared_defect_ratio(local_, local, valid);
  }
  return sum;
}

ScoreMaps LikelihoodDetector::score(const spectral::Block& block) {
  const torch::NoGradGuard no_gradient;
  const auto spectra = matched(block);
  const auto components = components_of(spectra.values, spectra.valid);
  const auto score = torch::softplus(ratio(components, spectra.valid)).to(torch::kCPU, torch::kFloat);
  const auto angle = spectral::spectral_angle_map(spectra.values, mean_).to(torch::kCPU, torch::kFloat);
  const auto known = block.valid.cpu();
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  return {torch::where(known, score, nan), torch::where(known, angle, nan), known};
}

Field LikelihoodDetector::field() const {
  return {1, reach() + 1};
}

std::int64_t LikelihoodDetector::bytes_per_pixel() const {
  const auto floats = 3 * bands().count + transform_.features();
  const auto doubles = 2 * transform_.features() + 12 * components_ + 4 * options_.mixture + 30;
  return floats * static_cast<std::int64_t>(sizeof(float)) +
         doubles * static_cast<std::int64_t>(sizeof(double));
}

std::string LikelihoodDetector::summary() const {
  const auto numbers = options_.mixture * (components_ + 2) * components_ + options_.mixture;
  // Three products with the axes; evidence of five amplitudes for two ratios and five sums of neighbours.
  const auto per_part = 3 * components_ * components_ + 35 * components_;
  return text::cat(
      "likelihood: a smooth change of the spectrum against none, ", text::counted(components_, "component"),
      " of ", text::counted(transform_.features(), "feature"), " of ", text::counted(bands().count, "band"),
      "\nparameters: none trained; mean, projection and two mixtures of ", options_.mixture,
      " normal distributions: ", bands().count + components_ * transform_.features() + 2 * numbers,
      " numbers\nreceptive field: ", 2 * field().halo + 1,
      " pixels\nmultiply-adds a pixel: ", components_ * transform_.features() + options_.mixture * per_part,
      "\n");
}

}  // namespace hyperdefect::model
