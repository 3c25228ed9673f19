// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hyperdefect/model/context_maps.h"
#include "hyperdefect/model/detector.h"
#include "hyperdefect/model/mean_score.h"
#include "hyperdefect/model/network.h"
#include "hyperdefect/model/norm_statistics.h"
#include "hyperdefect/model/preprocess.h"
#include "hyperdefect/model/scene_implants.h"
#include "hyperdefect/model/scene_statistics.h"

namespace hyperdefect::model {

/// Finds what looks implanted: small networks that learn to segment objects implanted into the very scene,
/// without any label, and are then shown the scene itself (the idea of CutPaste, Li et al., 2021, and of
/// DRAEM, Zavrtanik et al., 2021, on spectra).
///
/// A network sees the components and ContextMaps. The sign of each component is drawn anew in every step and
/// for every look: how far a spectrum lies off and how it relates to its surroundings stays, what its
/// implants' spectra were cannot be learned by heart. The score is an average over the weights at the ends of
/// the last epochs (snapshots), with statistics of the normalisations that are gathered for each look in the
/// calibration pass.
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
  std::vector<Loss> losses(const Batch& batch, at::Generator& generator) override;
  void calibrate(const spectral::Block& block) override;
  void finish_calibration() override;
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

  /// A network with the weights of some moment, and its statistics.
  struct Snapshot {
    Network network{nullptr};
    NormStatistics norms{nullptr};
  };

  torch::Tensor inputs_of(const torch::Tensor& components, const torch::Tensor& maps) const;
  torch::Tensor with_signs(const torch::Tensor& inputs, const torch::Tensor& signs) const;
  Example make_example(const torch::Tensor& components, const torch::Tensor& valid,
                       at::Generator& generator) const;
  std::vector<std::size_t> networks_of_step();
  void fill_pool(std::vector<Example>& pool, const Batch& batch, at::Generator& generator) const;
  Example drawn_example(const std::vector<Example>& pool, at::Generator& generator) const;
  torch::Tensor network_loss(std::size_t number, const Batch& batch, at::Generator& generator);
  torch::Tensor logits(Network& network, const torch::Tensor& inputs, const Window& window) const;
  /// (rows, cols); `statistics` says whether the looks' statistics are gathered here or used.
  enum class Statistics { gather, use };
  torch::Tensor raw_score(const spectral::Block& prepared, Statistics statistics);
  torch::Tensor logits_of(Snapshot& snapshot, std::uint64_t number, const torch::Tensor& inputs,
                          const Window& window, Statistics statistics) const;
  void take_snapshots();
  std::int64_t snapshots_in_use() const;
  ImplantMaterial material() const;

  DetectorOptions options_;
  SceneStatistics statistics_;
  bool components_known_ = false;
  Preprocess preprocess_{nullptr};
  ContextMaps context_{nullptr};
  std::vector<Network> networks_;
  /// By network, then by slot: the oldest one is replaced.
  std::vector<std::vector<Snapshot>> snapshots_;
  /// (networks) int64: the steps that each has learned; (1) int64: the snapshots that were taken.
  torch::Tensor steps_;
  torch::Tensor taken_;
  bool calibrating_ = false;
  torch::Tensor spectra_;
  torch::Tensor mean_;
  /// For each network: what an epoch learns from.
  std::vector<std::vector<Example>> pools_;
  std::int64_t steps_of_epoch_ = 0;
  MeanScore calibration_;
};

}  // namespace hyperdefect::model
