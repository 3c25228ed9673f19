// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/metric/confusion.h"

namespace hyperdefect::metric {
namespace {

std::optional<double> part(std::int64_t some, std::int64_t all) {
  return all > 0 ? std::optional(static_cast<double>(some) / static_cast<double>(all)) : std::nullopt;
}

}  // namespace

void Confusion::add(bool predicted, bool defective) {
  auto& count = predicted ? (defective ? true_positives : false_positives)
                          : (defective ? false_negatives : true_negatives);
  ++count;
}

Confusion confusion(const torch::Tensor& predicted, const torch::Tensor& truth, const torch::Tensor& valid) {
  TORCH_CHECK(predicted.sizes() == truth.sizes() && valid.sizes() == truth.sizes(),
              "confusion: expected marks, truth and validity of one shape, got ", predicted.sizes(), ", ",
              truth.sizes(), " and ", valid.sizes());
  const auto count = [&valid](const torch::Tensor& pixels) {
    return pixels.logical_and(valid).sum().item<std::int64_t>();
  };
  const auto unmarked = predicted.logical_not();
  const auto normal = truth.logical_not();
  return {count(predicted.logical_and(truth)), count(predicted.logical_and(normal)),
          count(unmarked.logical_and(truth)), count(unmarked.logical_and(normal))};
}

std::optional<double> precision(const Confusion& counts) {
  return part(counts.true_positives, counts.true_positives + counts.false_positives);
}

std::optional<double> recall(const Confusion& counts) {
  return part(counts.true_positives, counts.true_positives + counts.false_negatives);
}

std::optional<double> false_alarm_rate(const Confusion& counts) {
  return part(counts.false_positives, counts.false_positives + counts.true_negatives);
}

std::optional<double> f1(const Confusion& counts) {
  if (counts.true_positives + counts.false_negatives == 0) {
    return std::nullopt;
  }
  return part(2 * counts.true_positives,
              2 * counts.true_positives + counts.false_positives + counts.false_negatives);
}

}  // namespace hyperdefect::metric
