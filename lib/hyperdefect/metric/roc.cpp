// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/roc.h"

#include "hyperdefect/metric/ranking.h"

namespace hyperdefect::metric {
namespace {

std::int64_t total(const torch::Tensor& cumulative) {
  return cumulative.size(0) > 0 ? cumulative[-1].item<std::int64_t>() : 0;
}

/// What each entry of a running sum adds to the one before it, in double.
torch::Tensor steps(const torch::Tensor& cumulative) {
  return cumulative.diff(1, 0, torch::zeros({1}, torch::kLong)).to(torch::kDouble);
}

}  // namespace

RocCurve roc_curve(const torch::Tensor& scores, const torch::Tensor& labels, const torch::Tensor& valid) {
  TORCH_CHECK(labels.sizes() == scores.sizes(), "roc_curve: expected scores and labels of one shape, got ",
              scores.sizes(), " and ", labels.sizes());
  const auto ranking = ranked(scores, valid);
  const auto defective = labels.flatten().ne(0).index_select(0, ranking.order);
  const auto found = defective.cumsum(0).index_select(0, ranking.last);
  return {ranking.thresholds, found, ranking.last + 1 - found};
}

std::optional<double> auroc(const RocCurve& curve) {
  const auto defective = static_cast<double>(total(curve.true_positives));
  const auto normal = static_cast<double>(total(curve.false_positives));
  if (defective == 0 || normal == 0) {
    return std::nullopt;
  }
  const auto found = curve.true_positives.to(torch::kDouble) - steps(curve.true_positives) / 2;
  return (found * steps(curve.false_positives)).sum().item<double>() / defective / normal;
}

std::optional<double> average_precision(const RocCurve& curve) {
  const auto defective = static_cast<double>(total(curve.true_positives));
  if (defective == 0) {
    return std::nullopt;
  }
  const auto found = curve.true_positives.to(torch::kDouble);
  const auto precision = found / (found + curve.false_positives);
  return (precision * steps(curve.true_positives)).sum().item<double>() / defective;
}

std::optional<BestF1> f1_max(const RocCurve& curve) {
  const auto defective = static_cast<double>(total(curve.true_positives));
  if (defective == 0) {
    return std::nullopt;
  }
  const auto found = curve.true_positives.to(torch::kDouble);
  const auto f1 = 2 * found / (found + curve.false_positives + defective);
  const auto best = f1.argmax();
  return BestF1{f1[best.item<std::int64_t>()].item<double>(),
                curve.thresholds[best.item<std::int64_t>()].item<double>()};
}

std::optional<double> image_auroc(const std::vector<double>& scores, const std::vector<bool>& defective) {
  const std::vector<int> labels(defective.begin(), defective.end());
  return auroc(roc_curve(torch::tensor(scores, torch::kDouble), torch::tensor(labels, torch::kInt)));
}

}  // namespace hyperdefect::metric
