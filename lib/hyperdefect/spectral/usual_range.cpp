// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/spectral/usual_range.h"

#include <torch/utils.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "hyperdefect/metric/quantile.h"

namespace hyperdefect::spectral {
namespace {

/// How much of the spectra lies on each side of the quantiles, and how many widths away a value still is
/// usual.
struct Reach {
  double part;
  double above;
  double below;
};
/// Holds, however much of the tenth at each end is wrong.
constexpr Reach kCoarse{0.1, 100.0, 2.0};
/// Of what the coarse one leaves.
constexpr Reach kFine{0.01, 20.0, 2.0};
/// 32-bit counts end at 4e9, and no physical unit of an image needs more.
constexpr double kLargestCount = 1e12;

UsualRange range_of(const torch::Tensor& spectra, const Reach& reach) {
  // NaN only in bands that are NaN.
  const auto low = metric::nearest_rank(spectra, reach.part).to(torch::kDouble);
  const auto high = metric::nearest_rank(spectra, 1 - reach.part).to(torch::kDouble);
  const auto size = torch::maximum(low.abs(), high.abs());
  const auto width = torch::maximum(torch::maximum(high - low, size), size.nanmedian());
  // In a scene of zeros there is nothing to be far away from.
  const auto known = torch::where(width == 0, std::numeric_limits<double>::infinity(), width);
  const auto below = torch::maximum(known * reach.below, -low * reach.above);
  return {(low - below).clamp(-kLargestCount, kLargestCount).to(torch::kFloat),
          (high + known * reach.above).clamp(-kLargestCount, kLargestCount).to(torch::kFloat)};
}

/// The spectra (bands, n) that lie inside; all of them if none does.
torch::Tensor inside(const torch::Tensor& spectra, const UsualRange& range) {
  const auto kept = is_outside(spectra, range).logical_not().nonzero().flatten();
  return kept.numel() > 0 ? spectra.index_select(1, kept) : spectra;
}

torch::Tensor per_band(const torch::Tensor& bound, const torch::Tensor& values) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(values.dim()), 1);
  shape.front() = -1;
  return bound.to(values.device()).view(shape);
}

}  // namespace

UsualRange usual_range(const torch::Tensor& spectra) {
  TORCH_CHECK(spectra.dim() == 2 && spectra.size(1) > 0, "usual_range: expected (bands, n), got ",
              spectra.sizes());
  const torch::NoGradGuard no_gradient;
  const auto possible = inside(spectra, widest_range(spectra.size(0)));
  return range_of(inside(possible, range_of(possible, kCoarse)), kFine);
}

UsualRange widest_range(std::int64_t bands) {
  const auto highest = torch::full({bands}, kLargestCount, torch::kFloat);
  return {-highest, highest};
}

torch::Tensor is_outside(const torch::Tensor& values, const UsualRange& range) {
  return values.lt(per_band(range.lowest, values))
      .logical_or_(values.gt(per_band(range.highest, values)))
      .any(0);
}

}  // namespace hyperdefect::spectral
