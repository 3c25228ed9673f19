// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/decision/objects.h"
#include "hyperdefect/model/fitted_model.h"

namespace hyperdefect::decision {

/// Raw scores of normal cubes.
struct NormalScores {
  /// (rows, cols) float32 of each cube; NaN where a pixel does not count.
  std::vector<torch::Tensor> maps;
  /// Whether the detector has learned from these very pixels.
  bool in_sample = false;
};

/// What marks pixels and decides on cubes that a model scores.
DetectionRule rule_of(const model::FittedModel& model);

/// Sets the scale of the score, the threshold and the evidence of a defect from the scores of normal cubes,
/// as the configuration says, and measures how often they raise a false alarm.
///
/// With threshold.method false_alarm_rate, at most the fraction pixel_rate of the normal pixels is marked,
/// and at most the fraction cube_rate of the normal cubes is rejected, if cubes are exchangeable (conformal
/// prediction: the cube is the unit). A rate below 1 / (n + 1) is not supported by n cubes; then the highest
/// of what was seen is taken, and a warning says what it would need.
///
/// The measurement leaves out every cube in turn (every tenth part of many; the blocks of rows of a single
/// one): the others set the threshold that it is judged by. The evidence of its strongest object under that
/// threshold is what min_evidence comes from, too, since a cube has an influence on the threshold that it
/// helped to set. Intervals are of 95 %: of pixels by a bootstrap over cubes (Davison and Hinkley, "Bootstrap
/// Methods and their Application", 1997), of cubes by Wilson, "Probable inference, the law of succession, and
/// statistical inference", 1927.
///
/// @throws InputError if there is no score, or the scores give no threshold that can be used.
void set_rule(model::FittedModel& model, const NormalScores& scores);

/// The measurement in sentences, a line each.
std::string in_words(const model::FalseAlarms& alarms);

}  // namespace hyperdefect::decision
