// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/noise_fraction.h"

#include <torch/utils.h>

#include <limits>

#include "hyperdefect/metric/quantile.h"

namespace hyperdefect::spectral {
namespace {

constexpr double kClippedAtEachEnd = 0.01;
/// Enough for a quantile.
constexpr std::int64_t kSortedPixels = 1 << 14;

/// (bands, rows, cols), clipped to the range of most of these pixels (n) in each band.
torch::Tensor clipped(const torch::Tensor& values, const torch::Tensor& pixels) {
  const auto step = (pixels.numel() + kSortedPixels - 1) / kSortedPixels;
  const auto sample = values.flatten(1).index_select(1, pixels.slice(0, 0, pixels.numel(), step));
  const auto at = [&](double part) { return metric::nearest_rank(sample, part).view({-1, 1, 1}); };
  return values.clamp(at(kClippedAtEachEnd), at(1 - kClippedAtEachEnd));
}

}  // namespace

NoiseFraction::NoiseFraction(std::int64_t bands) : squares_(torch::zeros({bands}, torch::kDouble)) {
  along_rows_.half_squares = torch::zeros({bands}, torch::kDouble);
  along_columns_.half_squares = torch::zeros({bands}, torch::kDouble);
}

void NoiseFraction::Pairs::add(const torch::Tensor& values, const torch::Tensor& valid, std::int64_t axis) {
  const auto both = valid.slice(axis, 0, -1).logical_and(valid.slice(axis, 1));
  const auto difference = values.slice(axis + 1, 1) - values.slice(axis + 1, 0, -1);
  half_squares += torch::where(both, difference, 0.0F).to(torch::kDouble).square().sum({1, 2}) / 2;
  count += both.sum().item<std::int64_t>();
}

void NoiseFraction::add(const Block& block) {
  const torch::NoGradGuard no_gradient;
  const auto pixels = block.valid.flatten().nonzero().flatten();
  if (pixels.numel() == 0) {
    return;
  }
  const auto values = clipped(block.values, pixels);
  along_rows_.add(values, block.valid, 1);
  along_columns_.add(values, block.valid, 0);
  const auto spectra = values.flatten(1).index_select(1, pixels).to(torch::kDouble);
  squares_ += (spectra - spectra.mean(1, true)).square().sum(1);
  pixels_ += pixels.numel();
}

torch::Tensor NoiseFraction::share() const {
  auto noise = torch::full_like(squares_, std::numeric_limits<double>::infinity());
  for (const auto* pairs : {&along_rows_, &along_columns_}) {
    if (pairs->count > 0) {
      noise = torch::minimum(noise, pairs->half_squares / static_cast<double>(pairs->count));
    }
  }
  const auto share = noise * static_cast<double>(pixels_) / squares_;
  return torch::where(share.isfinite(), share, 0.0);
}

}  // namespace hyperdefect::spectral
