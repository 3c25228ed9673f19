// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_detector.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/image/window_median.h"
#include "hyperdefect/spectral/normal_mixture.h"
#include "hyperdefect/spectral/smooth_prior.h"
#include "hyperdefect/spectral/trimmed_covariance.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::detector {
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
/// Standard deviations of texture, in units of the noise: from what hardly shows to glints.
const std::vector<double> kTextureAmplitudes{10, 40, 160};

/// What the normal spectra and their defects are made of, along the components.
void fill(const spectral::DefectLikelihood& target, const spectral::DefectLikelihood& fitted) {
  target.constants.copy_(fitted.constants);
  target.means.copy_(fitted.means);
  target.forward.copy_(fitted.forward);
  target.gains.copy_(fitted.gains);
}

}  // namespace

LikelihoodRatioDetector::Gathered::Gathered(std::int64_t features)
    : differences(kPairs), components(kPixels), squares(torch::zeros({features}, torch::kDouble)) {}

LikelihoodRatioDetector::LikelihoodRatioDetector(const DetectorOptions& options,
                                                 const preprocess::Preprocess& preprocess)
    : Detector("LikelihoodRatioDetector", preprocess),
      options_(options.of<LikelihoodRatioOptions>()),
      components_(std::min(options_.components, preprocess->features())) {
  projection_ =
      register_buffer("projection", torch::zeros({components_, preprocess->features()}, torch::kDouble));
  global_ = registered("global");
  local_ = registered("local");
}

std::int64_t LikelihoodRatioDetector::parts() const {
  const auto widths = options_.texture_probability > 0 ? 1 + kTextureAmplitudes.size() : 1;
  return options_.mixture * static_cast<std::int64_t>(widths);
}

spectral::DefectLikelihood LikelihoodRatioDetector::registered(const std::string& name) {
  const auto buffer = [&](const char* what, at::IntArrayRef shape) {
    return register_buffer(text::concat(name, "_", what), torch::zeros(shape, torch::kDouble));
  };
  return {buffer("constants", {parts()}), buffer("means", {parts(), components_}),
          buffer("axes", {parts(), components_, components_}), buffer("gains", {parts(), components_})};
}

/// (components, rows, cols), 0 if a pixel is invalid. In double: between directions of much and of little
/// noise single precision loses digits, and the sums would depend on how the image is cut.
torch::Tensor LikelihoodRatioDetector::components_of(const preprocess::Preprocessed& block) const {
  const auto usable = torch::where(block.valid(), block.features().to(torch::kDouble), 0.0);
  return projection_.matmul(usable.flatten(1)).unflatten(1, {block.valid().size(0), block.valid().size(1)});
}

torch::Tensor LikelihoodRatioDetector::less_background(const torch::Tensor& components,
                                                       const torch::Tensor& valid) const {
  return torch::where(valid, components - image::window_median(components, valid, reach()), 0.0);
}

void LikelihoodRatioDetector::accumulate_features(const preprocess::Preprocessed& block) {
  if (!gathered_) {
    gathered_.emplace(preprocess().features());
  }
  auto& seen = *gathered_;
  const auto& features = block.features();
  const auto pairs = block.counted().slice(1, 0, -1).logical_and(block.valid().slice(1, 1));
  auto window = block.window();
  window.cols = pairs.size(1);
  seen.differences.add((features.slice(2, 1) - features.slice(2, 0, -1)) / std::sqrt(2.0), pairs, window,
                       block.cube());
  seen.squares += torch::where(block.counted(), features.to(torch::kDouble), 0.0).square().sum({1, 2}).cpu();
  seen.count += block.counted().sum().item<std::int64_t>();
}

bool LikelihoodRatioDetector::begin() {
  check_enough();
  const torch::NoGradGuard no_gradient;
  learn_projection();
  return true;
}

void LikelihoodRatioDetector::accumulate(const preprocess::Preprocessed& block) {
  const auto components = components_of(block);
  const auto both = torch::cat({components, less_background(components, block.valid())});
  gathered_->components.add(both, block);
}

bool LikelihoodRatioDetector::finalise() {
  const torch::NoGradGuard no_gradient;
  learn_normal();
  gathered_.reset();
  return false;
}

void LikelihoodRatioDetector::check_enough() const {
  const auto pairs = gathered_ ? gathered_->differences.count() : 0;
  if (pairs < 2) {
    throw InputError(text::concat(
        "too few valid pixels to learn from: ", text::pluralise(pairs, "pair"),
        " of horizontal neighbours, at least 2 are needed; check no-data values and the cube's content"));
  }
  if (pairs < preprocess().features()) {
    log::warning(text::concat("the noise of ", preprocess().features(), " bands or bins is estimated from ",
                              text::pluralise(pairs, "pair"),
                              " of neighbours only: take more training data or fewer preprocess.bins"));
  }
}

void LikelihoodRatioDetector::learn_projection() {
  const auto noise = spectral::trimmed_covariance(gathered_->differences.spectra());
  const auto smooth = in_features(spectral::smooth_covariance(preprocess().positions_nm(), kDefectLengthsNm));
  const auto whitening =
      spectral::noise_whitening(torch::zeros({preprocess().features()}), smooth, noise, components_);
  projection_.zero_().narrow(0, 0, whitening.forward.size(0)).copy_(whitening.forward);
}

/// (features, features): what relative changes of the spectra with this covariance are in the features. After
/// the logarithm they are the same; before it each is multiplied by the size of its feature.
torch::Tensor LikelihoodRatioDetector::in_features(const torch::Tensor& covariance) const {
  if (preprocess().options().transform == preprocess::Transform::log) {
    return covariance;
  }
  const auto size = (gathered_->squares / static_cast<double>(gathered_->count)).sqrt();
  return covariance * torch::outer(size, size);
}

torch::Tensor LikelihoodRatioDetector::in_components(const torch::Tensor& covariance) const {
  const auto projection = projection_.cpu();
  return projection.matmul(in_features(covariance)).matmul(projection.t());
}

void LikelihoodRatioDetector::learn_normal() {
  const auto positions = preprocess().positions_nm();
  const auto defect = in_components(spectral::smooth_covariance(positions, kDefectLengthsNm));
  const auto illumination =
      in_components(options_.gain * options_.gain +
                    options_.tilt * options_.tilt * spectral::smooth_covariance(positions, {kTiltLengthNm}));
  const auto both = gathered_->components.spectra();
  const auto differences = both.slice(1, components_);
  const auto with_texture = [&, texture = texture_of(differences)](const spectral::NormalMixture& normal) {
    return texture ? spectral::with_texture(normal, *texture) : normal;
  };
  const spectral::MixtureOptions mixture{options_.mixture, kRidge};
  auto everywhere = spectral::fit_normal_mixture(both.slice(1, 0, components_), mixture);
  everywhere.covariances = everywhere.covariances + illumination;
  fill(global_, spectral::defect_likelihood(with_texture(everywhere), defect));
  // A change of illumination is the same all over a window: the median has taken it away.
  const auto nearby = spectral::fit_normal_mixture(differences, mixture);
  fill(local_, spectral::defect_likelihood(with_texture(nearby), defect));
}

std::optional<spectral::Texture> LikelihoodRatioDetector::texture_of(const torch::Tensor& differences) const {
  if (options_.texture_probability == 0) {
    return {};
  }
  return spectral::Texture{spectral::leading_directions(differences, options_.texture_directions),
                           kTextureAmplitudes, options_.texture_probability};
}

torch::Tensor LikelihoodRatioDetector::ratio(const torch::Tensor& components,
                                             const torch::Tensor& valid) const {
  auto sum = torch::zeros(valid.sizes(), components.options());
  if (options_.global_weight > 0) {
    sum +=
        options_.global_weight * spectral::defect_ratio(global_, components).clamp_max(options_.global_limit);
  }
  if (options_.local_weight > 0 || options_.coherence_weight > 0) {
    const auto local = less_background(components, valid);
    sum += options_.local_weight * spectral::defect_ratio(local_, local);
    sum += options_.coherence_weight * spectral::shared_defect_ratio(local_, local, valid);
  }
  return sum;
}

Measurement LikelihoodRatioDetector::measure(const preprocess::Preprocessed& block) const {
  const torch::NoGradGuard no_gradient;
  return {{ratio(components_of(block), block.valid())}};
}

Score LikelihoodRatioDetector::score(const preprocess::Preprocessed&, const Measurement& measured) const {
  return {torch::softplus(measured.maps[0]).to(torch::kCPU, torch::kFloat)};
}

std::int64_t LikelihoodRatioDetector::bytes_per_pixel() const {
  const auto floats = 4 * preprocess().features();
  const auto doubles = 2 * preprocess().features() + 12 * components_ + 4 * parts() + 30;
  return floats * static_cast<std::int64_t>(sizeof(float)) +
         doubles * static_cast<std::int64_t>(sizeof(double));
}

std::string LikelihoodRatioDetector::summary() const {
  const auto numbers = parts() * (components_ + 2) * components_ + parts();
  // Three products with the axes; evidence of five amplitudes for two ratios and five sums of neighbours.
  const auto per_part = 3 * components_ * components_ + 35 * components_;
  return text::concat(
      "likelihood_ratio: a smooth change of the spectrum against none, ",
      text::pluralise(components_, "component"), " of ", text::pluralise(preprocess().features(), "feature"),

      "\nparameters: none trained; projection and two mixtures of ", parts(),
      " normal distributions: ", components_ * preprocess().features() + 2 * numbers,
      " numbers\nreceptive field: ", 2 * receptive_field().halo + 1,
      " pixels\nmultiply-adds per pixel: ", components_ * preprocess().features() + parts() * per_part, "\n");
}

}  // namespace hyperdefect::detector
