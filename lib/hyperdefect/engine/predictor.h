// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "hyperdefect/engine/observer.h"
#include "hyperdefect/model/block_source.h"
#include "hyperdefect/model/detector.h"

namespace hyperdefect::engine {

/// The windows in which a detector goes through a source of this size and band count within the memory given.
std::vector<PlannedWindow> plan_for(const model::Detector& detector, const model::BlockSource& source,
                                    std::int64_t ram_mb);

/// Scores a whole cube window by window; only the maps are held whole, and they do not depend on the windows.
/// @throws ModelError where the cube's bands do not match, Interrupted where the observer asks to stop.
model::ScoreMaps predict(model::Detector& detector, model::BlockSource& source, std::int64_t ram_mb,
                         Observer& observer);

}  // namespace hyperdefect::engine
