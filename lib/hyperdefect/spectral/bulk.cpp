// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/bulk.h"

#include <algorithm>
#include <cmath>

#include "hyperdefect/core/error.h"
#include "hyperdefect/metric/quantile.h"

namespace hyperdefect::spectral {
namespace {

constexpr double kDarkest = 1e-3;
/// Of the differences of neighbours: whole numbers are often equal, so that the median would be 0, and the
/// largest are edges.
constexpr double kTypical = 0.75;
constexpr double kNoLight = 1e-12;
/// No camera measures finer than this part of its signal.
constexpr double kFinest = 1e-6;

double log_of(const torch::Tensor& fraction) {
  return std::log(std::max(fraction.item<double>(), kFinest));
}

/// (bands): the middle value of each band of (n, bands).
torch::Tensor medians_of(const torch::Tensor& values) {
  return std::get<0>(values.median(0));
}

}  // namespace

Bulk bulk_of(const torch::Tensor& spectra, const torch::Tensor& neighbours) {
  if (spectra.size(0) == 0) {
    throw InputError("there is no valid pixel to compare with other cubes");
  }
  const auto values = spectra.to(torch::kDouble);
  const auto median = medians_of(values);
  // A spectrum without a positive value has no logarithm: it counts as darker than any other.
  const double darkest = std::max(kDarkest * median.max().item<double>(), kNoLight);
  const auto logarithms = [darkest](const torch::Tensor& of) { return of.clamp_min(darkest).log(); };
  const auto logs = logarithms(values);
  const auto brightness = logs.mean(1);
  const auto shape = logs - brightness.unsqueeze(1);
  auto step = logarithms(neighbours.to(torch::kDouble)) - logs;
  step = step - step.mean(1, true);
  const auto log_spectrum = logarithms(median).contiguous();
  Bulk bulk;
  bulk.log_spectrum.assign(log_spectrum.const_data_ptr<double>(),
                           log_spectrum.const_data_ptr<double>() + log_spectrum.numel());
  bulk.noise = log_of(metric::nearest_rank(step.abs().t().contiguous(), kTypical).median());
  bulk.brightness_spread = log_of((brightness - brightness.median()).abs().median());
  bulk.spectrum_spread = log_of((shape - medians_of(shape)).abs().median());
  return bulk;
}

}  // namespace hyperdefect::spectral
