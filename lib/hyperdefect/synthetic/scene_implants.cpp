// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/scene_implants.h"

#include <cmath>

#include "hyperdefect/core/window.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/image/gaussian.h"
#include "hyperdefect/image/random_source.h"
#include "hyperdefect/synthetic/defect_shape.h"

namespace hyperdefect::synthetic {
namespace {

constexpr double kCoveredPart = 0.05;
constexpr double kMinAreaPx = 1.0;
constexpr double kMaxAreaPx = 60.0;
constexpr double kMinAbundance = 0.1;
constexpr double kBlurredPart = 0.6;
/// The norm of a change of spectrum, in units of the median norm of the scene's spectra.
constexpr double kMinChange = 0.7;
constexpr double kMaxChange = 5.0;
/// An implant's pixel is called an object from this abundance, and from this change of the components (root
/// mean square) on.
constexpr double kLabelAbundance = 0.05;
constexpr double kLabelChange = 0.4;
/// An object counts like so many normal pixels.
constexpr double kObjectWeight = 20.0;

torch::Tensor random_spectrum(const ImplantMaterial& material, image::RandomSource& random) {
  return material.spectra[random.below(material.spectra.size(0))];
}

/// Three bells of random sign along the band axis, seen in the components.
torch::Tensor bumps(const ImplantMaterial& material, image::RandomSource& random) {
  const auto features = material.to_components.size(1);
  const auto length = static_cast<double>(features);
  const auto axis = torch::arange(features, torch::kFloat);
  auto sum = torch::zeros({features});
  for (int i = 0; i < 3; ++i) {
    const double centre = random.uniform(0, length);
    const double sigma = random.log_uniform(length / 60 + 0.5, length / 4 + 0.5);
    sum += random.gaussian() * (axis - centre).div(sigma).square().mul(-0.5).exp();
  }
  return material.to_components.matmul(sum);
}

/// A normal direction that prefers the leading components more or less.
torch::Tensor direction(const ImplantMaterial& material, image::RandomSource& random) {
  const double power = random.uniform(0, 0.5);
  const auto relative = (material.variances / material.variances[0].clamp_min(1e-300)).to(torch::kFloat);
  return random.normal(relative.sizes()) * relative.clamp_min(1e-12).pow(power / 2);
}

/// What is added to a random spectrum of the scene; zero for three in ten implants.
torch::Tensor random_change(const ImplantMaterial& material, double median_norm,
                            image::RandomSource& random) {
  const double kind = random.uniform(0, 1);
  torch::Tensor change;
  if (kind < 0.3) {
    return torch::zeros({material.spectra.size(1)});
  }
  if (kind < 0.6) {
    change = bumps(material, random);
  } else if (kind < 0.85) {
    change = direction(material, random);
  } else {
    change = random_spectrum(material, random) - random_spectrum(material, random);
  }
  return change * (median_norm * random.log_uniform(kMinChange, kMaxChange) / change.norm().clamp_min(1e-12));
}

/// (components, rows, cols) of a window: the noise of as many random pixels, from differences of neighbours.
torch::Tensor noise_like(const torch::Tensor& components, const Window& window, image::RandomSource& random) {
  const auto rows = components.size(1);
  const auto cols = components.size(2);
  if (cols < 2) {
    return torch::zeros({components.size(0), window.rows, window.cols});
  }
  const auto row = random.below(std::max<std::int64_t>(1, rows - window.rows + 1));
  const auto col = random.below(std::max<std::int64_t>(1, cols - window.cols));
  const auto of = [&](std::int64_t shift) {
    const auto columns = torch::arange(col + shift, col + shift + window.cols).clamp_max(cols - 1);
    return components.slice(1, row, row + window.rows).index_select(2, columns);
  };
  return (of(1) - of(0)) / std::sqrt(2.0);
}

/// (rows, cols) of the place's window: coverage, blurred as a sensor blurs for a part of the implants.
torch::Tensor drawn_coverage(const DefectShape& shape, const Placement& place, image::RandomSource& random) {
  const auto covered = coverage(shape, place);
  if (random.uniform(0, 1) >= kBlurredPart) {
    return covered;
  }
  return image::gaussian_smoothed(covered, torch::ones_like(covered, torch::kBool), random.uniform(0.3, 0.7));
}

class Implanter {
 public:
  Implanter(const torch::Tensor& components, const torch::Tensor& valid, const ImplantMaterial& material,
            at::Generator& generator)
      : clean_(components),
        material_(material),
        dice_(generator),
        median_norm_(material.spectra.norm(2, 1).median().item<double>()),
        changed_(components.clone()),
        abundance_(torch::zeros(valid.sizes())),
        weight_(torch::ones(valid.sizes())),
        taken_(valid.logical_not()) {}

  /// @return how many pixels it touches.
  std::int64_t implant() {
    const auto shape = draw_shape(dice_.log_uniform(kMinAreaPx, kMaxAreaPx), dice_);
    const auto place = draw_placement(taken_, shape.reach(), dice_);
    const auto share = drawn_coverage(shape, place, dice_) * dice_.log_uniform(kMinAbundance, 1.0);
    const auto spectrum = random_spectrum(material_, dice_) + random_change(material_, median_norm_, dice_);
    const auto noise = noise_like(clean_, place.window, dice_);
    auto patch = image::crop(changed_, place.window);
    patch.add_(share * (spectrum.view({-1, 1, 1}) + noise - patch));
    auto drawn = image::crop(abundance_, place.window);
    drawn.copy_(torch::maximum(drawn, share));
    const auto touched = share > kLabelAbundance;
    const auto pixels = std::max<std::int64_t>(1, touched.sum().item<std::int64_t>());
    image::crop(weight_, place.window).masked_fill_(touched, kObjectWeight / static_cast<double>(pixels));
    image::crop(taken_, place.window).logical_or_(touched);
    return pixels;
  }

  ImplantedScene finished(const torch::Tensor& valid) const {
    const auto change = (changed_ - clean_).square().mean(0).sqrt();
    const auto object = (abundance_ > kLabelAbundance).logical_and(change > kLabelChange).logical_and(valid);
    const auto counts = object.logical_or(abundance_.eq(0)).logical_and(valid);
    return {torch::where(valid.unsqueeze(0), changed_, 0.0F), object.to(torch::kFloat), weight_ * counts};
  }

 private:
  const torch::Tensor& clean_;
  const ImplantMaterial& material_;
  image::RandomSource dice_;
  double median_norm_;
  torch::Tensor changed_;
  torch::Tensor abundance_;
  torch::Tensor weight_;
  torch::Tensor taken_;
};

}  // namespace

ImplantedScene with_implants(const torch::Tensor& components, const torch::Tensor& valid,
                             const ImplantMaterial& material, at::Generator& generator) {
  TORCH_CHECK(components.dim() == 3 && components.size(0) == material.spectra.size(1),
              "with_implants: expected (", material.spectra.size(1), ", rows, cols), got ",
              components.sizes());
  Implanter implanter(components, valid, material, generator);
  const auto wanted = std::ceil(kCoveredPart * valid.sum().item<double>());
  for (std::int64_t covered = 0; static_cast<double>(covered) < wanted;) {
    covered += implanter.implant();
  }
  return implanter.finished(valid);
}

}  // namespace hyperdefect::synthetic
