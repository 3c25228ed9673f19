// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hyperdefect/detector/detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/preprocess/band_picker.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::detector {

/// The maps of one block; score and angle are NaN if `valid` is false.
struct ScoreMaps {
  /// (rows, cols) float32, higher is more anomalous.
  torch::Tensor score;
  /// (rows, cols) float32, radians in [0, pi]: measured spectrum against the expected one.
  torch::Tensor sad_rad;
  /// (rows, cols) bool.
  torch::Tensor valid;
  /// The maps (rows, cols) float32 of an ensemble's members, by the detectors' names.
  std::vector<std::pair<std::string, torch::Tensor>> parts{};
};

/// The preprocessing and a detector: what is fitted, shipped in a model file, and scores cubes. Blocks are of
/// the model's bands; picker() makes them of a cube's.
///
///     Pipeline pipeline(options, bands);
///     const auto picker = pipeline.picker(cube.bands());
///     const auto block = pipeline.preprocessed(picker.of(cube.read(window)));
///     const ScoreMaps maps = pipeline.score(block);
class Pipeline : public torch::nn::Module {
 public:
  /// @throws ConfigError for an unknown detector, and for options that contradict each other.
  Pipeline(const DetectorOptions& options, const spectral::Bands& bands);

  const spectral::Bands& bands() const { return preprocess_->bands(); }
  /// Takes the model's bands out of a cube. @throws ModelError naming what does not match.
  preprocess::BandPicker picker(const spectral::Bands& cube) const;
  /// @param counted (rows, cols) bool: what counts in statistics; all that is valid if it is not defined.
  preprocess::Preprocessed preprocessed(const spectral::Block& block,
                                        const torch::Tensor& counted = {}) const;

  /// A pass over the training blocks; finalise() closes it and says whether another one is wanted.
  /// @throws InputError from finalise() if there are too few valid pixels to learn from.
  void accumulate(const preprocess::Preprocessed& block);
  bool finalise();
  /// Whether the next pass is one of the detector's own.
  bool knows_preprocessing() const { return preprocessing_is_known_; }
  /// Pixels around a pixel that accumulate() has to see.
  std::int64_t statistics_reach_px() const;

  /// nullptr if there is nothing to learn by gradient.
  Trainable* trainable() const { return detector_->trainable(); }
  /// (components, rows, cols): what training batches are cut from.
  torch::Tensor training_input(const preprocess::Preprocessed& block) const;

  /// See Detector::adapt().
  bool adapts() const { return detector_->adapts(); }
  void adapt(const preprocess::Preprocessed& tile) { detector_->adapt(tile); }
  /// @return what was measured in the block.
  Measurement calibrate(const preprocess::Preprocessed& block) { return detector_->calibrate(block); }
  void finish_calibration() { detector_->finish_calibration(); }

  ScoreMaps score(const preprocess::Preprocessed& block) const {
    return score(block, detector_->measure(block));
  }
  /// @param measured what was measured in the same block.
  ScoreMaps score(const preprocess::Preprocessed& block, const Measurement& measured) const;
  /// Pixels nearer than its halo to a border of a block that is not one of the image's do not count.
  ReceptiveField receptive_field() const { return detector_->receptive_field(); }
  std::int64_t bytes_per_pixel() const;
  std::string summary() const;

 private:
  torch::Tensor angle_map(const preprocess::Preprocessed& block, const Measurement& measured) const;

  preprocess::Preprocess preprocess_{nullptr};
  std::shared_ptr<Detector> detector_;
  bool preprocessing_is_known_ = false;
  bool features_are_seen_ = false;
};

}  // namespace hyperdefect::detector
