// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/model/detector.h"

namespace hyperdefect::model {

/// The detector that options.model.detector names, for a model that works on these bands.
/// @throws ConfigError for an unknown name, and for options that contradict each other.
std::shared_ptr<Detector> make_detector(const DetectorOptions& options, const spectral::Bands& bands);

}  // namespace hyperdefect::model
