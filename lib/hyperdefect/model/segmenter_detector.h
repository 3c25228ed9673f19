// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "hyperdefect/model/context_maps.h"
#include "hyperdefect/model/detector.h"
#include "hyperdefect/model/mean_score.h"
#include "hyperdefect/model/network.h"
#include "hyperdefect/model/norm_statistics.h"
#include "hyperdefect/model/preprocess.h"
#include "hyperdefect/model/scene_implants.h"
#include "hyperdefect/model/scene_statistics.h"
#include "hyperdefect/model/weight_average.h"

namespace hyperdefect::model {

/// Finds what looks implanted: small networks that learn to segment objects implanted into the very scene,
/// without any label, and are then shown the scene itself (the idea of CutPaste, Li et al., 2021, and of
/// DRAEM, Zavrtanik et al., 2021, on spectra).
///
/// A network sees the components and ContextMaps. The sign of each component is drawn anew in every step and
/// for every look: how far a spectrum lies off and how it relates to its surroundings stays, what its
/// implants' spectra were cannot be learned by heart. Scores come from averaged weights, and from statistics
/// of the normalisations that are gathered for each look in the calibration pass.
class SegmenterDetector : public Detector {
 public:
  SegmenterDetector(const DetectorOptions& options, const spectral::Bands& bands);

  const spectral::Bands& bands() const override { return preprocess_->bands(); }
  void bind(const spectral::Bands& cube) override { preprocess_->bind(cube); }
  void observe(const spectral::Block& block) override;
  bool finish() override;
  bool trainable() const override { return true; }
  void begin_epoch() override;
  spectral::Block prepare(const spectral::Block& block) const override { return preprocess_->prepare(block); }
  std::vector<std::function<void()>> preparations(const Batch& batch, at::Generator& generator) override;
  std::vector<Loss> losses(const Batch& batch, at::Generator& generator) override;
  void calibrate(const spectral::Block& block) override;
  void finish_calibration() override;
  double bound_among_others() const override;
  ScoreMaps score(const spectral::Block& block) override;
  Field field() const override;
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  /// An implanted patch, ready to be learned from: inputs (channels, rows, cols), label and weight.
  struct Example {
    torch::Tensor inputs;
    torch::Tensor label;
    torch::Tensor weight;
  };

  torch::Tensor inputs_of(const torch::Tensor& components, const torch::Tensor& maps) const;
  torch::Tensor with_signs(const torch::Tensor& inputs, const torch::Tensor& signs) const;
  void implant(const torch::Tensor& components, const torch::Tensor& valid, at::Generator& generator,
               Example& example) const;
  Example drawn_example(at::Generator& generator) const;
  /// In training a part of the networks, in turn; else all.
  std::vector<std::size_t> networks_of_step();
  std::int64_t tokens_of(const Size& size) const;
  torch::Tensor network_loss(std::size_t which, at::Generator& generator);
  torch::Tensor logits(Network& network, const torch::Tensor& inputs, const Window& window) const;
  /// (rows, cols); `statistics` says whether the looks' statistics are gathered here or used.
  enum class Statistics { gather, use };
  torch::Tensor raw_score(const spectral::Block& prepared, Statistics statistics);
  ImplantMaterial material() const;

  DetectorOptions options_;
  SceneStatistics statistics_;
  bool components_known_ = false;
  Preprocess preprocess_{nullptr};
  ContextMaps context_{nullptr};
  std::vector<Network> networks_;
  std::vector<Network> averages_;
  std::vector<WeightAverage> averaging_;
  std::vector<NormStatistics> norms_;
  bool calibrating_ = false;
  torch::Tensor spectra_;
  torch::Tensor mean_;
  /// Examples do not move when others are added.
  std::deque<Example> pool_;
  /// Of this epoch.
  std::int64_t steps_ = 0;
  MeanScore calibration_;
};

}  // namespace hyperdefect::model
