// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/roc.h"

#include <cmath>

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

/// The mean over the pixels that are counted by `cumulative`, each with the value of its threshold.
double mean_over(const torch::Tensor& cumulative, const torch::Tensor& values) {
  return (values * steps(cumulative)).sum().item<double>() / static_cast<double>(total(cumulative));
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

std::optional<Roc3d> roc_3d(const RocCurve& curve) {
  const auto area = auroc(curve);
  if (!area) {
    return std::nullopt;
  }
  const auto scores = curve.thresholds.to(torch::kDouble);
  const auto lowest = scores[-1].item<double>();
  const auto range = scores[0].item<double>() - lowest;
  if (!std::isfinite(range) || range == 0) {
    return std::nullopt;
  }
  // The share of pixels that score tau or more, integrated over tau from 0 to 1, is their mean score.
  const auto normalised = (scores - lowest) / range;
  return Roc3d{*area, mean_over(curve.true_positives, normalised),
               mean_over(curve.false_positives, normalised)};
}

std::optional<double> image_auroc(const std::vector<double>& scores, const std::vector<bool>& defective) {
  const std::vector<int> labels(defective.begin(), defective.end());
  return auroc(roc_curve(torch::tensor(scores, torch::kDouble), torch::tensor(labels, torch::kInt)));
}

}  // namespace hyperdefect::metric
