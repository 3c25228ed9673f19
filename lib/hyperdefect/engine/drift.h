// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/model/drift.h"
#include "hyperdefect/model/fitted_model.h"
#include "hyperdefect/preprocess/block_source.h"
#include "hyperdefect/spectral/bulk.h"

// Whole cubes compared with the training cubes: the section `drift`.

namespace hyperdefect::engine {

/// What the source looks like as a whole in the detector's bands, from about 8,000 pixels that are evenly
/// spread over it; nothing if fewer than 16 of them are valid.
/// @throws ModelError if the bands do not match, InputError if it cannot be read.
std::optional<spectral::Bulk> bulk_of(const detector::Pipeline& detector, preprocess::BlockSource& source);

/// The same of a whole cube for itself, and of its parts: fewer than 5 cubes are cut into blocks of rows, so
/// that there are 5 or more to compare.
struct CubeBulks {
  std::optional<spectral::Bulk> whole;
  std::vector<spectral::Bulk> parts;
};
/// @param cubes how many there are
CubeBulks bulks_of(const detector::Pipeline& detector, preprocess::BlockSource& source, std::size_t cubes);

/// A source as a model is to see it: less what model.config.drift.adapt removes. It is the source itself if
/// nothing is removed.
std::shared_ptr<preprocess::BlockSource> adapted(std::shared_ptr<preprocess::BlockSource> source,
                                                 const model::FittedModel& model,
                                                 const std::optional<spectral::Bulk>& bulk);

/// Sets model.drift from the training cubes, and adapts them to it. With too few valid pixels there is none,
/// and a warning says so.
void set_drift(model::FittedModel& model, std::vector<std::shared_ptr<preprocess::BlockSource>>& sources);

/// Sets how much normal cubes vary anew; the spectrum that cubes are adapted to stays, if they are.
void set_drift(model::FittedModel& model, const std::vector<spectral::Bulk>& parts);

}  // namespace hyperdefect::engine
