// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hyperdefect/model/classical_detector.h"
#include "hyperdefect/model/preprocess.h"
#include "hyperdefect/model/scene_statistics.h"
#include "hyperdefect/spectral/dual_window.h"

namespace hyperdefect::model {

/// What classical detectors on principal components share: the preprocessing, with a number of components and
/// a power of their own.
class ComponentDetector : public ClassicalDetector {
 public:
  /// What distinguishes one from another.
  struct Traits {
    std::string name;
    std::int64_t components;
    double power;
    double smoothing_px;
  };
  ComponentDetector(const Traits& traits, const PreprocessOptions& options, const spectral::Bands& bands);

  const spectral::Bands& bands() const override { return preprocess_->bands(); }
  void bind(const spectral::Bands& cube) override { preprocess_->bind(cube); }
  void observe(const spectral::Block& block) override;
  bool finish() override;
  spectral::Block prepare(const spectral::Block& block) const override { return preprocess_->prepare(block); }
  std::int64_t bytes_per_pixel() const final;
  std::string summary() const final;

 protected:
  std::int64_t components() const { return preprocess_->components(); }
  /// @throws ConfigError where the keys model.PREFIX_inner_px and model.PREFIX_outer_px do not go together.
  static void check_window(const spectral::DualWindow& window, const std::string& prefix);

 private:
  /// (rows, cols): the score of components (components, rows, cols), zero where not valid (rows, cols).
  virtual torch::Tensor score_of(const torch::Tensor& components, const torch::Tensor& valid) const = 0;
  /// Bytes that score_of() holds for one pixel.
  virtual std::int64_t score_bytes_per_pixel() const = 0;
  /// A line about the score.
  virtual std::string score_summary() const = 0;

  Evidence evidence(const spectral::Block& block) const final;

  PreprocessOptions options_;
  Preprocess preprocess_{nullptr};
  SceneStatistics statistics_;
};

}  // namespace hyperdefect::model
