// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/synthetic_scene.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hyperdefect/core/option_check.h"
#include "hyperdefect/image/crop.h"
#include "hyperdefect/image/random_source.h"
#include "hyperdefect/synthetic/defect_shape.h"

namespace hyperdefect::synthetic {
namespace {

constexpr double kPi = std::numbers::pi;
/// Of so many other pixels, the one of this rank in contrast to the place is mixed in: the first would be the
/// brightest or darkest of the scene again and again, the last might not be seen.
constexpr std::int64_t kDonors = 9;
constexpr std::int64_t kDonorRank = 2;
/// The material of a pixel: so many that are most like it, among so many drawn.
constexpr std::int64_t kAlike = 16;
constexpr std::int64_t kCompared = 4096;
constexpr double kStripeGain = 0.03;

/// The wavelengths as a tensor (bands) double, with what the drawing of spectral features needs to know of
/// them.
struct SpectralAxis {
  torch::Tensor nm;
  double first_nm;
  double last_nm;
  double spacing_nm;

  double range_nm() const { return last_nm - first_nm; }
};

SpectralAxis spectral_axis(const spectral::Bands& bands) {
  const auto nm = bands.wavelengths_nm.empty() ? torch::linspace(400, 1000, bands.count, torch::kDouble)
                                               : torch::tensor(bands.wavelengths_nm, torch::kDouble);
  const double first = nm.min().item<double>();
  const double last = std::max(nm.max().item<double>(), first + 1);
  return {nm, first, last, (last - first) / static_cast<double>(std::max<std::int64_t>(1, bands.count - 1))};
}

torch::Tensor bell(const torch::Tensor& nm, double centre_nm, double sigma_nm) {
  return ((nm - centre_nm).square() / (-2 * sigma_nm * sigma_nm)).exp();
}

/// (bands) double: a slope and broad humps, less up to three absorptions; between .02 and .95.
torch::Tensor smooth_spectrum(const SpectralAxis& axis, image::RandomSource& random) {
  const auto along = (axis.nm - axis.first_nm) / axis.range_nm();
  const double start = random.uniform(0.15, 0.6);
  const double slope = random.uniform(-0.3, 0.3);
  auto spectrum = start + slope * along;
  for (int hump = 0; hump < 3; ++hump) {
    const double centre = random.uniform(axis.first_nm, axis.last_nm);
    const double sigma = random.uniform(0.08, 0.3) * axis.range_nm();
    spectrum = spectrum + random.uniform(-0.15, 0.2) * bell(axis.nm, centre, sigma);
  }
  for (auto left = random.below(4); left > 0; --left) {
    const double centre = random.uniform(axis.first_nm, axis.last_nm);
    const double sigma = random.uniform(0.01, 0.04) * axis.range_nm();
    spectrum = spectrum * (1 - random.uniform(0.1, 0.5) * bell(axis.nm, centre, sigma));
  }
  return spectrum.clamp(0.02, 0.95);
}

/// What defects are implanted into.
struct Canvas {
  Implanted scene;
  /// (bands, pixels): the spectra of the scene as it was given.
  torch::Tensor spectra;
  /// (count) int64: the places among them that hold no NaN.
  torch::Tensor complete;
  /// (count) int64: the places whose difference to the right neighbour is the sensor's noise.
  torch::Tensor quiet;
  /// (rows, cols) bool: where no further defect is wanted.
  torch::Tensor taken;
  SpectralAxis axis;
};

/// (bands, pixels): noise as each pixel of the scene has it, drawn from the differences of neighbours.
torch::Tensor draw_noise(const Canvas& canvas, std::int64_t pixels, image::RandomSource& random) {
  const auto left = canvas.quiet.index_select(0, random.below(canvas.quiet.size(0), pixels));
  const auto difference = canvas.spectra.index_select(1, left + 1) - canvas.spectra.index_select(1, left);
  return difference / std::numbers::sqrt2;
}

/// Mixes spectra in linearly, (bands, 1) for all pixels or (bands, pixels), which hold the given part of a
/// pixel's noise variance. They take away a part of the pixels' own, so that a defect would be known by its
/// calm: noise is added until each has as much as before.
void mix(torch::Tensor& patch, const torch::Tensor& share, const torch::Tensor& spectra, double noise_held,
         const Canvas& canvas, image::RandomSource& random) {
  const auto mixed_in = spectra.to(patch.options()).expand({-1, share.numel()}).reshape(patch.sizes());
  patch.add_(share * (mixed_in - patch));
  if (canvas.quiet.size(0) > 0) {
    const auto kept = (1 - share).square() + noise_held * share.square();
    const auto lost = (1 - kept).clamp_min(0).sqrt();
    patch.add_(lost * draw_noise(canvas, share.numel(), random).view(patch.sizes()));
  }
}

void mix_material(torch::Tensor& patch, const torch::Tensor& share, const Canvas& canvas,
                  image::RandomSource& random) {
  const auto spectrum = smooth_spectrum(canvas.axis, random);
  const auto brightness = patch.nanmean().item<double>() * random.uniform(0.6, 1.4);
  mix(patch, share, (spectrum / spectrum.mean() * brightness).unsqueeze(1), 0, canvas, random);
}

/// Multiplies by 1 + share * profile (bands).
void modulate(torch::Tensor& patch, const torch::Tensor& share, const torch::Tensor& profile) {
  patch.mul_(1 + share * profile.to(patch.options()).view({-1, 1, 1}));
}

torch::Tensor fringe_profile(const SpectralAxis& axis, image::RandomSource& random) {
  // From half a period over the whole spectrum to four bands a period at its short end, where fringes are
  // densest.
  const double thinnest = 1 / (4 * (1 / axis.first_nm - 1 / axis.last_nm));
  const double thickest = axis.first_nm * axis.first_nm / (8 * axis.spacing_nm);
  const double thickness = random.log_uniform(thinnest, std::max(thinnest, thickest));
  return (4 * kPi * thickness / axis.nm).cos();
}

torch::Tensor absorption_profile(const SpectralAxis& axis, image::RandomSource& random) {
  const double centre = random.uniform(axis.first_nm, axis.last_nm);
  const double widest = std::max(0.1 * axis.range_nm(), 2 * axis.spacing_nm);
  return -bell(axis.nm, centre, random.log_uniform(2 * axis.spacing_nm, widest));
}

/// (bands, count): random spectra of the scene.
torch::Tensor draw_spectra(const Canvas& canvas, std::int64_t count, image::RandomSource& random) {
  const auto drawn = random.below(canvas.complete.size(0), count);
  return canvas.spectra.index_select(1, canvas.complete.index_select(0, drawn));
}

/// (bands, pixels): random ones of the spectra that are most like the given one (bands, 1). One for all
/// pixels would be known by its noise, which added to theirs is more than any pixel has.
torch::Tensor draw_alike(const torch::Tensor& spectrum, std::int64_t pixels, const Canvas& canvas,
                         image::RandomSource& random) {
  const auto others = draw_spectra(canvas, std::min(kCompared, canvas.complete.size(0)), random);
  const auto distance = (others - spectrum).norm(2, 0);
  const auto nearest = distance.argsort().slice(0, 0, kAlike);
  return others.index_select(1, nearest.index_select(0, random.below(nearest.size(0), pixels)));
}

void mix_scene(torch::Tensor& patch, const torch::Tensor& share, const Canvas& canvas,
               image::RandomSource& random) {
  if (canvas.complete.size(0) == 0) {
    return;
  }
  const auto donors = draw_spectra(canvas, kDonors, random);
  const auto here = patch.flatten(1).nanmean(1, true);
  const auto order = (donors - here).norm(2, 0).argsort(0, true);
  const auto donor = donors.narrow(1, order[kDonorRank].item<std::int64_t>(), 1);
  mix(patch, share, draw_alike(donor, share.numel(), canvas, random), 1, canvas, random);
}

void change(DefectKind kind, torch::Tensor& patch, const torch::Tensor& share, const Canvas& canvas,
            image::RandomSource& random) {
  switch (kind) {
    case DefectKind::material:
      return mix_material(patch, share, canvas, random);
    case DefectKind::fringe:
      return modulate(patch, share, fringe_profile(canvas.axis, random));
    case DefectKind::absorption:
      return modulate(patch, share, absorption_profile(canvas.axis, random));
    case DefectKind::scene:
      return mix_scene(patch, share, canvas, random);
  }
}

void implant_one(DefectKind kind, Canvas& canvas, const ImplantOptions& options,
                 image::RandomSource& random) {
  const double area = random.log_uniform(options.min_area_px, options.max_area_px);
  const double abundance = random.log_uniform(options.min_abundance, options.max_abundance);
  const auto shape = draw_shape(area, random);
  const auto place = draw_placement(canvas.taken, shape.reach(), random);
  const auto covered = coverage(shape, place);
  auto patch = image::crop(canvas.scene.values, place.window);
  change(kind, patch, (covered * abundance).to(patch.options()), canvas, random);
  image::crop(canvas.scene.mask, place.window).logical_or_(covered >= 0.5);
  image::crop(canvas.taken, place.window).logical_or_(covered >= 0.5);
  auto drawn = image::crop(canvas.scene.abundance, place.window);
  drawn.copy_(torch::maximum(drawn, covered * abundance));
}

/// (count) int64: places in the flattened image (bands, rows, cols) of pixels whose difference to the
/// right neighbour is of the middle half by size: hardly an edge is among them, and the noise is neither
/// over- nor underrated.
torch::Tensor quiet_places(const torch::Tensor& values) {
  const auto cols = values.size(2);
  const auto difference = (values.slice(2, 1) - values.slice(2, 0, cols - 1)).norm(2, 0);
  const auto pairs = difference.flatten().isnan().logical_not().nonzero().squeeze(1);
  const auto order = difference.flatten().index_select(0, pairs).argsort();
  const auto quiet = pairs.index_select(0, order.slice(0, pairs.size(0) / 4, (3 * pairs.size(0) + 3) / 4));
  const auto row = quiet.div(std::max<std::int64_t>(1, cols - 1), "floor");
  return quiet + row;
}

Canvas canvas_of(const torch::Tensor& values, const spectral::Bands& bands, const torch::Tensor& keep_clear) {
  const auto shape = values.sizes().slice(1);
  TORCH_CHECK(!keep_clear.defined() || keep_clear.sizes() == shape, "implant: expected keep_clear of ", shape,
              ", got ", keep_clear.sizes());
  Canvas canvas;
  canvas.scene = {values.clone(), torch::zeros(shape, torch::kBool), torch::zeros(shape, torch::kFloat)};
  canvas.spectra = values.flatten(1);
  canvas.complete = canvas.spectra.sum(0).isnan().logical_not().nonzero().squeeze(1);
  canvas.quiet = quiet_places(values);
  canvas.taken = keep_clear.defined() ? keep_clear.clone() : torch::zeros(shape, torch::kBool);
  canvas.axis = spectral_axis(bands);
  return canvas;
}

constexpr OptionCheck kNeed{"synthetic scene"};

void check(const ImplantOptions& options) {
  kNeed(options.defects >= 0, "defects", options.defects, "0 or more");
  kNeed(!options.kinds.empty(), "the number of kinds", options.kinds.size(), "1 or more");
  kNeed(options.min_area_px > 0, "min_area_px", options.min_area_px, "more than 0");
  kNeed(options.max_area_px >= options.min_area_px, "max_area_px", options.max_area_px,
        "min_area_px or more");
  kNeed(options.min_abundance > 0, "min_abundance", options.min_abundance, "more than 0");
  kNeed(options.max_abundance >= options.min_abundance && options.max_abundance <= 1, "max_abundance",
        options.max_abundance, "min_abundance to 1");
}

void check(const SceneOptions& options) {
  kNeed(options.rows >= 1, "rows", options.rows, "1 or more");
  kNeed(options.cols >= 1, "cols", options.cols, "1 or more");
  kNeed(options.bands >= 1, "bands", options.bands, "1 or more");
  kNeed(options.endmembers >= 1, "endmembers", options.endmembers, "1 or more");
  kNeed(options.noise >= 0, "noise", options.noise, "0 or more");
  kNeed(options.stripes >= 0 && options.stripes <= options.cols, "stripes", options.stripes, "0 to cols");
  kNeed(options.min_wavelength_nm > 0, "min_wavelength_nm", options.min_wavelength_nm, "more than 0");
  kNeed(options.max_wavelength_nm > options.min_wavelength_nm, "max_wavelength_nm", options.max_wavelength_nm,
        "more than min_wavelength_nm");
  check(options.implants);
}

/// (count, rows, cols) float32 of about unit variance, changing over `scale_px` pixels.
torch::Tensor smooth_fields(std::int64_t count, Size size, std::int64_t scale_px,
                            image::RandomSource& random) {
  const auto coarse = random.normal({count, 1, size.rows / scale_px + 2, size.cols / scale_px + 2});
  return torch::upsample_bicubic2d(coarse, {size.rows, size.cols}, true).squeeze(1);
}

/// (bands, count) float32.
torch::Tensor materials(std::int64_t count, const SpectralAxis& axis, image::RandomSource& random) {
  std::vector<torch::Tensor> spectra;
  for (std::int64_t i = 0; i < count; ++i) {
    spectra.push_back(smooth_spectrum(axis, random).to(torch::kFloat));
  }
  return torch::stack(spectra, 1);
}

torch::Tensor endmembers_of(const SceneOptions& options, const SpectralAxis& axis,
                            image::RandomSource& random) {
  if (!options.material_seed) {
    return materials(options.endmembers, axis, random);
  }
  auto generator = at::detail::createCPUGenerator(*options.material_seed);
  image::RandomSource shared(generator);
  return materials(options.endmembers, axis, shared);
}

/// (bands, rows, cols) float32: mixed and lit, without noise.
torch::Tensor clean_scene(const SceneOptions& options, const SpectralAxis& axis,
                          image::RandomSource& random) {
  const Size size{options.rows, options.cols};
  const auto endmembers = endmembers_of(options, axis, random);
  const auto abundances = torch::softmax(3 * smooth_fields(options.endmembers, size, 16, random), 0);
  const auto slow_light = smooth_fields(1, size, 32, random);
  const auto light = (0.08 * slow_light + 0.01 * random.normal({1, size.rows, size.cols})).exp();
  const auto mixed = endmembers.matmul(abundances.flatten(1));
  return mixed.view({options.bands, size.rows, size.cols}) * light;
}

void add_noise(torch::Tensor& values, double noise, image::RandomSource& random) {
  const auto from_middle = torch::linspace(-1, 1, values.size(0), torch::kFloat);
  const auto deviation = noise * values.mean() * (1 + 2 * from_middle.pow(4));
  values.add_(random.normal(values.sizes()).mul_(deviation.view({-1, 1, 1})));
}

void add_stripes(torch::Tensor& values, std::int64_t stripes, image::RandomSource& random) {
  for (std::int64_t i = 0; i < stripes; ++i) {
    const auto col = random.below(values.size(2));
    values.select(2, col).mul_(1 + random.uniform(-kStripeGain, kStripeGain));
  }
}

spectral::Bands evenly_spaced(const SceneOptions& options) {
  const auto nm =
      torch::linspace(options.min_wavelength_nm, options.max_wavelength_nm, options.bands, torch::kDouble);
  spectral::Bands bands;
  bands.count = options.bands;
  bands.wavelengths_nm.assign(nm.const_data_ptr<double>(), nm.const_data_ptr<double>() + options.bands);
  return bands;
}

}  // namespace

Implanted implant(const torch::Tensor& values, const spectral::Bands& bands, const ImplantOptions& options,
                  at::Generator& generator) {
  TORCH_CHECK(values.dim() == 3 && values.size(0) == bands.count && values.is_floating_point(),
              "implant: expected (", bands.count, ", rows, cols) of floating point, got ", values.sizes(),
              " of ", values.scalar_type());
  check(options);
  const torch::NoGradGuard no_gradient;
  auto canvas = canvas_of(values, bands, options.keep_clear);
  image::RandomSource random(generator);
  for (std::int64_t i = 0; i < options.defects; ++i) {
    const auto turn = static_cast<std::size_t>(i) % options.kinds.size();
    implant_one(options.kinds[turn], canvas, options, random);
  }
  return canvas.scene;
}

SyntheticScene make_scene(const SceneOptions& options) {
  check(options);
  const torch::NoGradGuard no_gradient;
  auto generator = at::detail::createCPUGenerator(options.seed);
  image::RandomSource random(generator);
  const auto bands = evenly_spaced(options);
  auto scene =
      implant(clean_scene(options, spectral_axis(bands), random), bands, options.implants, generator);
  add_noise(scene.values, options.noise, random);
  add_stripes(scene.values, options.stripes, random);
  return {scene.values, scene.mask, scene.abundance, bands};
}

}  // namespace hyperdefect::synthetic
