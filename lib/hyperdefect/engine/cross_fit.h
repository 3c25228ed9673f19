// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "hyperdefect/decision/false_alarm_rates.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/model/fitted_model.h"
#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::engine {

/// The scores of a whole cube. @throws InputError if the score of a pixel that counts is not finite.
torch::Tensor score_map(const detector::Pipeline& detector, preprocess::BlockSource& source,
                        std::int64_t ram_mb, ProgressMonitor& monitor);

/// Scores the training cubes by detectors that have not learned from them (cross-fitting; Vovk,
/// "Cross-conformal predictors", 2015). The cubes are divided into model.config.threshold.folds parts, every
/// folds-th cube is in the same one; a single cube is divided into blocks of rows, and what lies in the
/// receptive field around a block is left out of its fit, too. With 0 folds the model's own detector scores
/// them.
///
/// Scores are like those of the model on a new cube, but for the smaller number of cubes that the fits have.
///
/// @param model its detector is fitted to all sources of the job. @throws what fit() throws, InputError if
/// the score of a pixel that counts is not finite.
decision::NormalScores held_out_scores(const model::FittedModel& model, const FitJob& job,
                                       ProgressMonitor& monitor);

/// The largest number of parts that cubes of these sizes can be divided into, at most `asked`.
std::int64_t possible_folds(const std::vector<Size>& cubes, std::int64_t asked);

}  // namespace hyperdefect::engine
