// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/config/option.h"
#include "hyperdefect/detector/detector.h"
#include "hyperdefect/image/dual_window.h"

namespace hyperdefect::detector {

/// Declares the key smoothing_px, which had another name before.
void declare_smoothing(config::Section& section, double* smoothing_px, const char* former_name);

/// @throws ConfigError if the sides do not go together; `section` names their section.
void check_window(const image::DualWindow& window, const std::string& section);

/// What detectors without a network share: their score is one measured map, which may be smoothed.
///
///     class BrightestBandDetector : public ClassicalDetector {
///      public:
///       BrightestBandDetector(const DetectorOptions&, const preprocess::Preprocess& preprocess)
///           : ClassicalDetector("BrightestBandDetector", preprocess, 0.5) {}
///       Measurement measure(const preprocess::Preprocessed& block) const override {
///         return {{block.values().amax(0)}};
///       }
///       std::int64_t bytes_per_pixel() const override { return sizeof(float); }
///
///      private:
///       std::int64_t reach_px() const override { return 0; }
///       std::string headline() const override { return "the brightest band"; }
///     };
class ClassicalDetector : public Detector {
 public:
  /// @param smoothing_px standard deviation of the Gaussian over the score; 0 leaves the score as it is.
  ClassicalDetector(const std::string& name, preprocess::Preprocess preprocess, double smoothing_px)
      : Detector(name, std::move(preprocess)), smoothing_px_(smoothing_px) {}

  Score score(const preprocess::Preprocessed& block, const Measurement& measured) const final;
  ReceptiveField receptive_field() const final;
  std::string summary() const final;

 protected:
  /// (rows, cols): the score before it is smoothed.
  virtual torch::Tensor map_of(const Measurement& measured) const { return measured.maps.front(); }
  /// Pixels around a pixel that its score depends on before it is smoothed.
  virtual std::int64_t reach_px() const = 0;
  /// A line about the score.
  virtual std::string headline() const = 0;

 private:
  double smoothing_px_;
};

}  // namespace hyperdefect::detector
