// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/classical_detector.h"

#include <limits>

#include "hyperdefect/spectral/angle.h"
#include "hyperdefect/spectral/gaussian.h"

namespace hyperdefect::model {

ScoreMaps ClassicalDetector::score(const spectral::Block& block) {
  const auto found = evidence(block);
  const auto valid = block.valid.cpu();
  const auto score = spectral::gaussian_smoothed(found.score.cpu(), valid, smoothing_px_);
  const auto angle = spectral::spectral_angle_map(found.spectra, found.background).cpu();
  return {score, torch::where(valid, angle, std::numeric_limits<float>::quiet_NaN()), valid};
}

Field ClassicalDetector::field() const {
  return {1, reach_px() + spectral::gaussian_radius(smoothing_px_)};
}

}  // namespace hyperdefect::model
