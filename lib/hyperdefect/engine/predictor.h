// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/preprocess/block_source.h"

namespace hyperdefect::engine {

/// The windows in which a detector goes through a source of this size and band count within the memory given.
/// @param field what has to be seen around a pixel.
std::vector<Tile> plan_for(const detector::Pipeline& detector, const preprocess::BlockSource& source,
                           std::int64_t ram_mb, const ReceptiveField& field);
/// The same for scoring.
std::vector<Tile> plan_for(const detector::Pipeline& detector, const preprocess::BlockSource& source,
                           std::int64_t ram_mb);

/// Scores a whole cube window by window; only the maps are held whole, and they do not depend on the windows.
/// One detector may serve several threads.
///
///     const model::FittedModel fitted = model::load_model("model.safetensors");
///     CubeSource cube("scan.img", fitted.config.data);
///     ProgressMonitor monitor;
///     cube.prepare_for(fitted.detector->bands(), fitted.config.detector.preprocess, monitor);
///     auto maps = predict(*fitted.detector, cube, fitted.config.run.ram_mb, monitor);
///     maps.score = model::calibrated(maps.score, fitted);
///     const auto marked = (maps.score > fitted.threshold).logical_and(maps.valid);
///     const auto scores = maps.score.masked_select(maps.valid);
///     std::cout << marked.sum().item<double>() / static_cast<double>(scores.numel()) << " of the pixels, "
///               << "highest score " << scores.max().item<double>() << '\n';
///
/// @throws ModelError if the cube's bands do not match, Interrupted if the monitor asks to stop.
detector::ScoreMaps predict(const detector::Pipeline& detector, preprocess::BlockSource& source,
                            std::int64_t ram_mb, ProgressMonitor& monitor);

}  // namespace hyperdefect::engine
