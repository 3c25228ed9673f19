// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>

namespace hyperdefect::metric {

/// The confusion matrix of a decision, counted in pixels or in whole images; a positive is a defect.
struct Confusion {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;
  std::int64_t true_negatives = 0;

  void add(bool predicted, bool defective);
};

/// Counts what is predicted (bool) against the truth (bool) where valid (bool), all of one shape, any.
Confusion confusion(const torch::Tensor& predicted, const torch::Tensor& truth, const torch::Tensor& valid);

/// The part of the predicted that is defective; nothing if nothing is predicted.
std::optional<double> precision(const Confusion& counts);

/// The part of the defective that is predicted; nothing if there is no defect.
std::optional<double> recall(const Confusion& counts);

/// The part of the normal that is predicted; nothing if all is defective.
std::optional<double> false_alarm_rate(const Confusion& counts);

/// F1 = 2 TP / (2 TP + FP + FN); nothing if there is no defect.
std::optional<double> f1(const Confusion& counts);

}  // namespace hyperdefect::metric
