// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/recalibrate.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/decision/false_alarm_rates.h"
#include "hyperdefect/engine/cross_fit.h"
#include "hyperdefect/engine/cube_stamp.h"
#include "hyperdefect/engine/drift.h"
#include "hyperdefect/engine/product_region.h"
#include "hyperdefect/engine/scorer.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/files/file_stamp.h"

namespace hyperdefect::engine {
namespace {

/// What is known of a normal cube.
struct NormalCube {
  torch::Tensor scores;
  std::vector<spectral::Bulk> parts;
};

NormalCube measured(const model::FittedModel& model, const files::CubeInput& input, std::size_t cubes,
                    ProgressMonitor& monitor) {
  const auto before = stamp_of(input, model.config.data);
  CubeSource cube(input.path, model.config.data);
  apply_region_file(cube, input, model.config.data);
  try {
    prepare_for_model(cube, model, monitor);
  } catch (const ModelError& reason) {
    const std::string message = reason.what();
    throw ModelError(message.starts_with(cube.name()) ? message : text::concat(cube.name(), ": ", message));
  }
  auto bulks = bulks_of(*model.detector, cube, cubes);
  const auto source = adapted(not_owned(cube), model, bulks.whole);
  auto map = score_map(*model.detector, *source, model.config.run.ram_mb, monitor);
  if (const auto change = files::change_between(before, stamp_of(input, model.config.data));
      !change.empty()) {
    throw InputError(text::concat(input.path.string(), ": it changed while it was read (", change,
                                  "): repeat the command when it is complete"));
  }
  if (!map.isfinite().any().item<bool>()) {
    throw InputError(
        text::concat(cube.name(),
                     ": no pixel is valid, so there is no score to set a threshold from; leave the "
                     "cube out, or check its no-data values"));
  }
  return {std::move(map), std::move(bulks.parts)};
}

}  // namespace

void recalibrate(model::FittedModel& model, const std::vector<files::CubeInput>& cubes,
                 ProgressMonitor& monitor) {
  decision::NormalScores scores;
  std::vector<spectral::Bulk> parts;
  for (const auto& cube : cubes) {
    if (monitor.stop_requested()) {
      throw Interrupted("stopped while scoring the cubes");
    }
    auto normal = measured(model, cube, cubes.size(), monitor);
    scores.maps.push_back(std::move(normal.scores));
    parts.insert(parts.end(), normal.parts.begin(), normal.parts.end());
  }
  set_drift(model, parts);
  decision::set_rule(model, scores);
}

}  // namespace hyperdefect::engine
