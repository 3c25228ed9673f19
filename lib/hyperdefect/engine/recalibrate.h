// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/files/find_cubes.h"
#include "hyperdefect/model/fitted_model.h"

namespace hyperdefect::engine {

/// Sets the scale of the score, the threshold, the evidence of a defect and the usual variation of whole
/// cubes anew, from normal cubes that the model was not trained on, and measures its false alarms on them.
/// What it has learned stays.
///
///     auto fitted = model::load_model("model.safetensors");
///     fitted.config.threshold.pixel_rate = 0.001;
///     ProgressMonitor monitor;
///     recalibrate(fitted, files::find_cubes({"good/"}).cubes, monitor);
///     model::save_model("stricter.safetensors", fitted);
///
/// @throws ModelError if the bands of a cube do not match, InputError if a cube cannot be read, changed while
/// it was read or has no valid pixel; Interrupted.
void recalibrate(model::FittedModel& model, const std::vector<files::CubeInput>& cubes,
                 ProgressMonitor& monitor);

}  // namespace hyperdefect::engine
