// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace hyperdefect::model {

/// A rate of false alarms, in [0, 1].
struct FalseAlarmRate {
  /// None if the threshold was not set for a rate.
  std::optional<double> asked;
  /// What was used instead if the data do not support the rate that was asked for: the least that they do.
  std::optional<double> supported;
  /// What was seen in normal data that took no part in setting the threshold, and its 95 % interval.
  double seen = 0.0;
  double low = 0.0;
  double high = 1.0;

  bool operator==(const FalseAlarmRate&) const = default;
};

/// How often a model raises a false alarm, measured when its threshold was set.
struct FalseAlarms {
  std::int64_t cubes = 0;
  std::int64_t pixels = 0;
  /// Whether the pixels were scored by a detector that had learned from them, so that the rates are too low.
  bool in_sample = false;
  /// Of pixels that are marked.
  FalseAlarmRate pixel;
  /// Of cubes that are rejected; not known from a single cube.
  std::optional<FalseAlarmRate> cube;

  bool operator==(const FalseAlarms&) const = default;
};

}  // namespace hyperdefect::model
