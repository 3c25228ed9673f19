// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/model/detector.h"

namespace hyperdefect::model {

/// What detectors without a network share: nothing is trained by gradient, the score may be smoothed, and the
/// angle map compares with the background's mean spectrum.
class ClassicalDetector : public Detector {
 public:
  /// @param smoothing_px standard deviation of the Gaussian over the score; 0 leaves the score as it is.
  ClassicalDetector(const std::string& name, double smoothing_px)
      : Detector(name), smoothing_px_(smoothing_px) {}

  bool trainable() const final { return false; }
  void calibrate(const spectral::Block&) override {}
  void finish_calibration() override {}
  ScoreMaps score(const spectral::Block& block) final;
  Field field() const final;

 protected:
  /// What a block is judged by. Values at invalid pixels do not count.
  struct Evidence {
    /// (rows, cols): the score before it is smoothed.
    torch::Tensor score;
    /// (features, rows, cols): spectra in physical units.
    torch::Tensor spectra;
    /// (features): what the spectra are compared with.
    torch::Tensor background;
  };

 private:
  virtual Evidence evidence(const spectral::Block& block) const = 0;
  /// Pixels around a pixel that its score depends on before it is smoothed.
  virtual std::int64_t reach_px() const = 0;

  double smoothing_px_;
};

}  // namespace hyperdefect::model
