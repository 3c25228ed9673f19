// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "hyperdefect/core/window_plan.h"
#include "hyperdefect/model/classical_options.h"
#include "hyperdefect/model/likelihood_options.h"
#include "hyperdefect/model/network_options.h"
#include "hyperdefect/model/preprocess_options.h"
#include "hyperdefect/model/segmenter_options.h"
#include "hyperdefect/model/training_options.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::model {

/// The maps of one block; where `valid` is false, score and angle are NaN.
struct ScoreMaps {
  /// (rows, cols) float32, higher is more anomalous.
  torch::Tensor score;
  /// (rows, cols) float32, radians in [0, pi]: measured spectrum against the reconstructed one.
  torch::Tensor sad_rad;
  /// (rows, cols) bool.
  torch::Tensor valid;
  /// The maps (rows, cols) float32 that the score was fused of, by the detectors' names; empty where it was
  /// not.
  std::vector<std::pair<std::string, torch::Tensor>> parts{};
};

/// Patches to learn from, prepared by Detector::prepare(): values (N, components, rows, cols) float32, valid
/// (N, rows, cols) bool.
struct Batch {
  torch::Tensor values;
  torch::Tensor valid;
};

/// Computes a loss, a scalar with a gradient. What it needs is bound to it.
using Loss = std::function<torch::Tensor()>;

/// Everything that makes a detector what it is; the sections preprocess, model and score and a part of train.
struct DetectorOptions {
  PreprocessOptions preprocess;
  ModelOptions model;
  LearningOptions learning;
  ScoreOptions score;
  SegmenterOptions segmenter;
  LikelihoodOptions likelihood;
  ClassicalOptions classical;
};

/// A detector: what is fitted, shipped in a model file, and scores cubes.
///
/// The order of calls is: bind() to a cube; observe() over all training blocks and finish(), again as long as
/// it wants; then, where trainable(), losses() and a gradient step, many times; then calibrate() over
/// training blocks and finish_calibration(); then bind() to any cube and score(). All state that a fitted
/// detector needs is in its registered parameters and buffers, whose shapes follow from the options and the
/// bands alone.
class Detector : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;

  /// The bands of the spectra that the model works on.
  virtual const spectral::Bands& bands() const = 0;
  /// Matches a cube's bands to bands(). @throws ModelError naming what does not match.
  virtual void bind(const spectral::Bands& cube) = 0;

  /// Gathers statistics of a block's valid pixels; finish() closes the pass.
  /// @return from finish() whether another pass over all blocks is wanted.
  /// @throws InputError from finish() where there are too few valid pixels to learn from.
  virtual void observe(const spectral::Block& block) = 0;
  virtual bool finish() = 0;

  /// Whether there is something to train by gradient.
  virtual bool trainable() const = 0;
  /// Called before the first step of each epoch: what was kept from earlier steps must be forgotten here, so
  /// that a training that goes on from a checkpoint is the same as one that was not stopped.
  virtual void begin_epoch() {}
  /// The values that training batches are cut from: (components, rows, cols).
  virtual spectral::Block prepare(const spectral::Block& block) const = 0;
  /// What must be done before the losses() of a step can be computed; the tasks do not depend on each other.
  virtual std::vector<std::function<void()>> preparations(const Batch&, at::Generator&) { return {}; }
  /// The losses of a step, whose sum is minimised: no two of them share a parameter or a generator, so that
  /// they may be computed at the same time. The generator decides what is hidden or implanted.
  /// @throws Error where the detector is not trainable().
  virtual std::vector<Loss> losses(const Batch& batch, at::Generator& generator);

  /// Gathers what normalises the score; finish_calibration() closes the pass.
  virtual void calibrate(const spectral::Block& block) = 0;
  virtual void finish_calibration() = 0;

  /// Whether calibration alone makes its scores average 1 over the training data.
  virtual bool averages_one() const { return trainable(); }

  /// The most that it may add to a fused score at a pixel, as a multiple of the mean of what the others add
  /// there. It is finite for a detector that is sure of something in any scene, even one that holds nothing.
  virtual double bound_among_others() const { return std::numeric_limits<double>::infinity(); }

  /// The maps of a block. Pixels nearer than field().halo to a border of the block that is not one of the
  /// image's do not count.
  virtual ScoreMaps score(const spectral::Block& block) = 0;
  virtual Field field() const = 0;
  /// Bytes that scoring holds for one pixel of a block, beside the block itself.
  virtual std::int64_t bytes_per_pixel() const = 0;
  /// A page about the model: layers, parameters, receptive field, multiply-adds a pixel.
  virtual std::string summary() const = 0;
};

}  // namespace hyperdefect::model
