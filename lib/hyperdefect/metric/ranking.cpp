// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/ranking.h"

namespace hyperdefect::metric {

Ranking ranked(const torch::Tensor& scores, const torch::Tensor& valid) {
  TORCH_CHECK(!valid.defined() || valid.sizes() == scores.sizes(),
              "metric: expected scores and a mask of one shape, got ", scores.sizes(), " and ",
              valid.defined() ? valid.sizes() : scores.sizes());
  auto usable = scores.flatten().isnan().logical_not_();
  if (valid.defined()) {
    usable.logical_and_(valid.flatten());
  }
  const auto kept = usable.nonzero().squeeze(1);
  const auto [sorted, places] = scores.flatten().index_select(0, kept).sort(0, true);
  auto ends_run = torch::ones({sorted.size(0)}, torch::kBool);
  if (sorted.size(0) > 1) {
    ends_run.slice(0, 0, -1).copy_(sorted.slice(0, 1) != sorted.slice(0, 0, -1));
  }
  const auto last = ends_run.nonzero().squeeze(1);
  return {kept.index_select(0, places), sorted.index_select(0, last), last};
}

}  // namespace hyperdefect::metric
