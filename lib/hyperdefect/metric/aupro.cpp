// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/aupro.h"

#include "hyperdefect/metric/ranking.h"

namespace hyperdefect::metric {
namespace {

/// For each pixel of a list of regions, 1 / (number of regions * size of its region); 0 for normal pixels.
torch::Tensor overlap_weights(const torch::Tensor& regions) {
  auto sizes = torch::bincount(regions).to(torch::kDouble);
  sizes[0] = 0;
  const auto present = sizes > 0;
  const auto share = torch::where(present, 1.0 / (sizes * present.sum()), 0.0);
  return share.index_select(0, regions);
}

/// The integral of the polyline from (0, 0) through the points (x, y) up to x = limit, which the last point
/// reaches.
double area_up_to(const torch::Tensor& x, const torch::Tensor& y, double limit) {
  const auto zero = torch::zeros({1}, torch::kDouble);
  const auto x0 = torch::cat({zero, x.slice(0, 0, -1)}).clamp_max(limit);
  const auto y0 = torch::cat({zero, y.slice(0, 0, -1)});
  const auto width = x - torch::cat({zero, x.slice(0, 0, -1)});
  const auto used = x.clamp_max(limit) - x0;
  const auto slope = torch::where(width > 0, (y - y0) / width, 0.0);
  return (used * (y0 + slope * used / 2)).sum().item<double>();
}

}  // namespace

std::optional<double> aupro(const torch::Tensor& scores, const torch::Tensor& regions,
                            const torch::Tensor& valid, double max_fpr) {
  TORCH_CHECK(regions.sizes() == scores.sizes(), "aupro: expected scores and regions of one shape, got ",
              scores.sizes(), " and ", regions.sizes());
  TORCH_CHECK(max_fpr > 0 && max_fpr <= 1, "aupro: expected max_fpr in (0, 1], got ", max_fpr);
  const auto ranking = ranked(scores, valid);
  const auto region = regions.flatten().index_select(0, ranking.order).to(torch::kLong);
  const auto normal = region == 0;
  const auto normals = normal.sum().item<std::int64_t>();
  if (normals == 0 || normals == region.size(0)) {
    return std::nullopt;
  }
  const auto overlap = overlap_weights(region).cumsum(0).index_select(0, ranking.last);
  const auto alarms = normal.cumsum(0).index_select(0, ranking.last).to(torch::kDouble);
  return area_up_to(alarms / static_cast<double>(normals), overlap, max_fpr) / max_fpr;
}

}  // namespace hyperdefect::metric
