// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "hyperdefect/core/window_plan.h"
#include "hyperdefect/preprocess/preprocess.h"
#include "hyperdefect/preprocess/preprocessed.h"

namespace hyperdefect::detector {

/// What a detector measures in a block, before the training data says what is usual. It takes nearly all the
/// time; what is made of it takes hardly any.
struct Measurement {
  /// Maps (..., rows, cols), which only the detector knows how to read.
  std::vector<torch::Tensor> maps{};
  /// (components, rows, cols): the spectra that were expected, and what kind of components they are; not
  /// defined if the mean of the training data was expected everywhere.
  torch::Tensor expected{};
  preprocess::ComponentSpec expected_spec{};
  /// Of the members of an ensemble.
  std::vector<Measurement> members{};
};

/// (rows, cols) float32: a score, higher is more anomalous, and what it was made of, by the members' names.
/// The values mean nothing at invalid pixels.
struct Score {
  torch::Tensor map;
  std::vector<std::pair<std::string, torch::Tensor>> parts{};
};

/// Patches to learn from: components (N, components, rows, cols) float32, valid (N, rows, cols) bool.
struct Batch {
  torch::Tensor values;
  torch::Tensor valid;
};

/// Computes a loss, a scalar with a gradient, or returns an undefined tensor if it only made ready what later
/// steps learn from. What it needs is bound to it.
using Loss = std::function<torch::Tensor()>;

/// Scores blocks. All of it is const: one fitted detector serves several threads.
class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual Measurement measure(const preprocess::Preprocessed& block) const = 0;
  /// @param measured what measure() gave for the same block.
  virtual Score score(const preprocess::Preprocessed& block, const Measurement& measured) const = 0;
  /// What a pixel's score depends on.
  virtual ReceptiveField receptive_field() const = 0;
  /// Bytes that measuring and scoring hold for one pixel of a block, beside the block itself.
  virtual std::int64_t bytes_per_pixel() const = 0;
  /// Bytes of a Measurement for one pixel of a block.
  virtual std::int64_t measurement_bytes_per_pixel() const { return sizeof(float); }
};

/// Gathers, in passes over the training blocks, what a detector has to know of them before it learns.
class Statistics {
 public:
  virtual ~Statistics() = default;
  /// Called in the first pass of all, in which only values and features are known.
  virtual void accumulate_features(const preprocess::Preprocessed&) {}
  /// Called when the statistics of the preprocessing are known. @return whether a pass of its own is wanted.
  virtual bool begin() = 0;
  /// A pass over the blocks, with components.
  virtual void accumulate(const preprocess::Preprocessed&) {}
  /// Closes a pass. @return whether another one is wanted.
  virtual bool finalise() { return false; }
  /// Pixels around a pixel that accumulate() has to see.
  virtual std::int64_t reach_px() const { return 0; }
};

/// Learns by gradient.
class Trainable {
 public:
  virtual ~Trainable() = default;
  /// Draws the weights that training begins with.
  virtual void initialise(at::Generator& generator) = 0;
  /// Called before the first step of each epoch: what was kept from earlier steps must be forgotten here, so
  /// that a training that goes on from a checkpoint is the same as one that was not stopped.
  virtual void begin_epoch() {}
  /// The losses of a step, whose sum is minimised: no two of them share a parameter or a generator, so that
  /// they may be computed at the same time. The generator decides what is hidden or implanted.
  virtual std::vector<Loss> losses(const Batch& batch, at::Generator& generator) = 0;
};

/// A detector on preprocessed spectra. It is fitted in this order: its statistics(), its trainable() part,
/// then calibrate() over training blocks. A fitted detector is a Scorer. All that it needs then is in its
/// registered parameters and buffers, whose shapes follow from the options and the bands alone.
///
/// A new detector derives from it, implements Scorer, and is a row of the registry (registry.h):
///
///     class BrightnessDetector : public Detector {
///      public:
///       BrightnessDetector(const DetectorOptions&, const preprocess::Preprocess& preprocess)
///           : Detector("BrightnessDetector", preprocess) {}
///       Measurement measure(const preprocess::Preprocessed& block) const override {
///         return {{block.values().mean(0)}};
///       }
///       Score score(const preprocess::Preprocessed&, const Measurement& measured) const override {
///         return {measured.maps[0]};
///       }
///       ReceptiveField receptive_field() const override { return {}; }
///       std::int64_t bytes_per_pixel() const override { return sizeof(float); }
///       std::string summary() const override { return "brightness: the mean of all bands\n"; }
///     };
class Detector : public torch::nn::Module, public Scorer {
 public:
  /// @param preprocess what all detectors share; the owner of the detector registers it.
  Detector(const std::string& name, preprocess::Preprocess preprocess)
      : torch::nn::Module(name), preprocess_(std::move(preprocess)) {}

  /// nullptr if it needs none.
  virtual Statistics* statistics() { return nullptr; }
  /// nullptr if there is nothing to learn by gradient.
  virtual Trainable* trainable() { return nullptr; }

  /// Whether it wants adapt().
  virtual bool adapts() const { return false; }
  /// After the training: gathers the statistics of normalisations from tiles of a fixed size, so that they do
  /// not depend on how the cubes are cut.
  virtual void adapt(const preprocess::Preprocessed&) {}
  /// Gathers, of the pixels that count, what puts the score on a scale; finish_calibration() closes the pass.
  /// @return what was measured in the block.
  virtual Measurement calibrate(const preprocess::Preprocessed& block) { return measure(block); }
  virtual void finish_calibration() {}

  /// Whether its scores average 1 over the training data.
  virtual bool is_normalised() const { return false; }
  /// The most that it may add to the score of an ensemble at a pixel, as a multiple of the mean of what the
  /// others add there. It is finite for a detector that finds something in any scene, even an empty one.
  virtual double fusion_cap() const { return std::numeric_limits<double>::infinity(); }
  /// A page about the detector: layers, parameters, receptive field, multiply-adds per pixel.
  virtual std::string summary() const = 0;

 protected:
  const preprocess::PreprocessImpl& preprocess() const { return *preprocess_; }

 private:
  /// Not registered: several detectors share it.
  preprocess::Preprocess preprocess_;
};

}  // namespace hyperdefect::detector
