// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/synthetic/degradation.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "hyperdefect/core/option_check.h"
#include "hyperdefect/core/random.h"

namespace hyperdefect::synthetic {
namespace {

constexpr double kLargestZoom = 64.0;

void check(const LabelledCube& cube, std::string_view function) {
  TORCH_CHECK(
      cube.values.dim() == 3 && cube.values.is_floating_point() && cube.values.size(0) == cube.bands.count,
      function, ": expected values (", cube.bands.count, ", rows, cols) of floating point, got ",
      cube.values.sizes(), " of ", cube.values.scalar_type());
  const auto image = cube.values.sizes().slice(1);
  TORCH_CHECK(cube.valid.sizes() == image && cube.mask.sizes() == image, function,
              ": expected valid and mask of ", image, ", got ", cube.valid.sizes(), " and ",
              cube.mask.sizes());
}

constexpr OptionCheck kNeed{"transform"};

void check(const Geometry& geometry) {
  kNeed(geometry.zoom >= 1 / kLargestZoom && geometry.zoom <= kLargestZoom, "zoom", geometry.zoom,
        "1/64 to 64");
}

void check(const Disturbance& disturbance) {
  const auto need_share = [](std::string_view name, double share) {
    kNeed(share >= 0 && share <= 1, name, share, "0 to 1");
  };
  kNeed(disturbance.gain > 0 && std::isfinite(disturbance.gain), "gain", disturbance.gain, "more than 0");
  kNeed(std::abs(disturbance.tilt) < 1, "tilt", disturbance.tilt, "more than -1 and less than 1");
  need_share("noise_bands", disturbance.noise_bands);
  need_share("saturated", disturbance.saturated);
  need_share("missing", disturbance.missing);
}

Size zoomed_size(torch::IntArrayRef image, double zoom) {
  const auto length = [zoom](std::int64_t pixels) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(pixels) * zoom));
  };
  return {length(image[0]), length(image[1])};
}

/// Planes (n, rows, cols) interpolated to a size; without enlarging blur, and without aliasing when
/// shrinking.
torch::Tensor resampled(const torch::Tensor& planes, Size size) {
  return torch::_upsample_bilinear2d_aa(planes.unsqueeze(0), {size.rows, size.cols}, false).squeeze(0);
}

/// For each of `length` pixels, the pixel among `other_length` of the same extent that holds its centre.
torch::Tensor centres_in(std::int64_t length, std::int64_t other_length) {
  const auto centres = (torch::arange(length, torch::kDouble) + 0.5) / static_cast<double>(length);
  return (centres * static_cast<double>(other_length)).floor().to(torch::kLong);
}

/// Counts (rows, cols) brought to another length along one axis: repeated when enlarging, summed when
/// shrinking.
torch::Tensor counts_along(const torch::Tensor& counts, std::int64_t axis, std::int64_t length) {
  const auto old_length = counts.size(axis);
  if (length >= old_length) {
    return counts.index_select(axis, centres_in(length, old_length));
  }
  auto shape = counts.sizes().vec();
  shape[static_cast<std::size_t>(axis)] = length;
  return torch::zeros(shape, counts.options()).index_add(axis, centres_in(old_length, length), counts);
}

torch::Tensor zoomed_mask(const torch::Tensor& mask, Size size) {
  return counts_along(counts_along(mask.to(torch::kLong), 0, size.rows), 1, size.cols) > 0;
}

LabelledCube zoomed(const LabelledCube& cube, double zoom) {
  const auto size = zoomed_size(cube.mask.sizes(), zoom);
  const auto light = resampled(cube.values.masked_fill(cube.valid.logical_not(), 0), size);
  const auto weight = resampled(cube.valid.unsqueeze(0).to(cube.values.options()), size);
  const auto valid = weight.squeeze(0) >= 0.5;
  return {light / weight, valid, zoomed_mask(cube.mask, size).logical_and(valid), cube.bands};
}

/// So many of the count, but one at least where any are wanted.
std::int64_t wanted_of(std::int64_t count, double share) {
  const auto wanted = static_cast<std::int64_t>(std::llround(static_cast<double>(count) * share));
  return share > 0 ? std::clamp<std::int64_t>(wanted, std::min<std::int64_t>(1, count), count) : 0;
}

/// Places in a flat list of `count`, each once, in random order.
torch::Tensor draw(std::int64_t count, double share, const at::Generator& generator) {
  return torch::randperm(count, generator).slice(0, 0, wanted_of(count, share));
}

at::Generator generator_for(std::uint64_t seed, std::string_view what) {
  return at::detail::createCPUGenerator(derive_seed(seed, what));
}

/// (rows, cols) bool: this share of the pixels that are true in `among`.
torch::Tensor draw_pixels(const torch::Tensor& among, double share, const at::Generator& generator) {
  const auto candidates = among.flatten().nonzero().squeeze(1);
  const auto drawn = candidates.index_select(0, draw(candidates.size(0), share, generator));
  return torch::zeros({among.numel()}, torch::kBool).index_fill_(0, drawn, true).view(among.sizes());
}

torch::Tensor shifted(const torch::Tensor& values, double gain, double tilt) {
  const auto slope = torch::linspace(-tilt, tilt, values.size(0), values.options());
  return values * (gain * (1 + slope)).view({-1, 1, 1});
}

void replace_bands(LabelledCube& cube, double share, const at::Generator& generator) {
  const auto bands = draw(cube.bands.count, share, generator);
  for (std::int64_t i = 0; i < bands.size(0); ++i) {
    auto band = cube.values[bands[i].item<std::int64_t>()];
    const auto measured = band.masked_select(cube.valid);
    if (measured.numel() > 0) {
      const auto noise = torch::randn(band.sizes(), generator, band.options());
      band.copy_(measured.mean() + measured.std(false) * noise);
    }
  }
}

void saturate(LabelledCube& cube, double share, const at::Generator& generator) {
  const auto highest = cube.values.amax(0).masked_select(cube.valid);
  if (highest.numel() > 0) {
    cube.values.masked_fill_(draw_pixels(cube.valid, share, generator), highest.max());
  }
}

void lose(LabelledCube& cube, double share, const at::Generator& generator) {
  const auto kept = draw_pixels(cube.valid, share, generator).logical_not();
  cube.valid = cube.valid.logical_and(kept);
  cube.mask = cube.mask.logical_and(kept);
}

void reverse(LabelledCube& cube) {
  cube.values = cube.values.flip(0);
  std::reverse(cube.bands.wavelengths_nm.begin(), cube.bands.wavelengths_nm.end());
  std::reverse(cube.bands.fwhm_nm.begin(), cube.bands.fwhm_nm.end());
  std::reverse(cube.bands.good.begin(), cube.bands.good.end());
}

}  // namespace

LabelledCube reshaped(const LabelledCube& cube, const Geometry& geometry) {
  check(cube, "reshaped");
  check(geometry);
  const torch::NoGradGuard no_gradient;
  auto result = geometry.zoom == 1.0 ? cube : zoomed(cube, geometry.zoom);
  for (auto* plane : {&result.values, &result.valid, &result.mask}) {
    *plane = torch::rot90(geometry.flip ? plane->flip(-1) : *plane, geometry.quarter_turns % 4, {-2, -1});
  }
  return result;
}

LabelledCube disturbed(const LabelledCube& cube, const Disturbance& disturbance, std::uint64_t seed) {
  check(cube, "disturbed");
  check(disturbance);
  const torch::NoGradGuard no_gradient;
  auto result = cube;
  result.values = shifted(cube.values, disturbance.gain, disturbance.tilt);
  replace_bands(result, disturbance.noise_bands, generator_for(seed, "noise bands"));
  saturate(result, disturbance.saturated, generator_for(seed, "saturated"));
  lose(result, disturbance.missing, generator_for(seed, "missing"));
  if (disturbance.reverse_bands) {
    reverse(result);
  }
  return result;
}

}  // namespace hyperdefect::synthetic
