// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "hyperdefect/detector/detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/detector/mean_score.h"
#include "hyperdefect/detector/segmenter/context_maps.h"
#include "hyperdefect/detector/segmenter/segmenter_options.h"
#include "hyperdefect/nn/network.h"
#include "hyperdefect/nn/norm_statistics.h"
#include "hyperdefect/nn/weight_average.h"
#include "hyperdefect/synthetic/scene_implants.h"

namespace hyperdefect::detector {

/// Finds what looks implanted: small networks that learn to segment objects implanted into the very scene,
/// without any label, and are then shown the scene itself (the idea of CutPaste, Li et al., 2021, and of
/// DRAEM, Zavrtanik et al., 2021, on spectra).
///
/// A network sees the components and ContextMaps. The sign of each component is drawn anew in every step and
/// for every look: how far a spectrum lies off and how it relates to its surroundings stays, what its
/// implants' spectra were cannot be learned by heart. Scores come from averaged weights, and from statistics
/// of the normalisations that are gathered for each look in the calibration pass.
///
///     DetectorOptions options;
///     options.name = "segmenter";
///     options.of<SegmenterOptions>().networks = 3;
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class SegmenterDetector : public Detector, private Statistics, public Trainable {
 public:
  SegmenterDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Statistics* statistics() override { return this; }
  Trainable* trainable() override { return this; }
  void initialise(at::Generator& generator) override;
  void begin_epoch() override;
  std::vector<Loss> losses(const Batch& batch, at::Generator& generator) override;
  bool adapts() const override { return true; }
  void adapt(const preprocess::Preprocessed& tile) override;
  Measurement calibrate(const preprocess::Preprocessed& block) override;
  void finish_calibration() override;
  bool is_normalised() const override { return true; }
  double fusion_cap() const override;
  Measurement measure(const preprocess::Preprocessed& block) const override;
  Score score(const preprocess::Preprocessed& block, const Measurement& measured) const override;
  ReceptiveField receptive_field() const override;
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  /// An implanted patch, ready to be learned from: inputs (channels, rows, cols), label and weight.
  struct Example {
    torch::Tensor inputs;
    torch::Tensor label;
    torch::Tensor weight;
  };
  /// Calls forward() with the statistics of a network that suit a draw of the signs.
  using WithStatistics = std::function<torch::Tensor(std::size_t network, std::int64_t draw,
                                                     const std::function<torch::Tensor()>& forward)>;

  bool begin() override;
  void accumulate(const preprocess::Preprocessed& block) override;
  bool finalise() override;
  std::int64_t reach_px() const override { return ContextMapsImpl::halo(); }

  torch::Tensor context_of(const preprocess::Preprocessed& block) const;
  torch::Tensor inputs_of(const torch::Tensor& components, const torch::Tensor& maps) const;
  torch::Tensor with_signs(const torch::Tensor& inputs, const torch::Tensor& signs) const;
  void implant(const torch::Tensor& components, const torch::Tensor& valid, at::Generator& generator,
               Example& example) const;
  /// Fills the pool up with implanted patches of the batch, when it is called for the first time.
  std::function<void()> preparation(const Batch& batch, at::Generator& generator);
  Example drawn_example(at::Generator& generator) const;
  /// In training a part of the networks, in turn; else all.
  std::vector<std::size_t> networks_of_step();
  std::int64_t tokens_of(const Size& size) const;
  torch::Tensor network_loss(std::size_t which, at::Generator& generator);
  torch::Tensor logits(nn::Network network, const torch::Tensor& inputs, const Window& window) const;
  /// (rows, cols), before it is divided by its mean.
  torch::Tensor raw_score(const preprocess::Preprocessed& block, const WithStatistics& with_statistics) const;
  synthetic::ImplantMaterial material() const;

  SegmenterOptions options_;
  nn::Arithmetic precision_;
  preprocess::ComponentSpec spec_;
  ContextMaps context_{nullptr};
  std::vector<nn::Network> networks_;
  std::vector<nn::Network> averages_;
  std::vector<nn::WeightAverage> averaging_;
  std::vector<nn::NormStatistics> norms_;
  bool adapting_ = false;
  torch::Tensor mean_;
  /// Examples do not move when others are added.
  std::deque<Example> pool_;
  /// Of this epoch.
  std::int64_t steps_ = 0;
  MeanScore calibration_;
};

}  // namespace hyperdefect::detector
