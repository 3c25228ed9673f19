// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/detector/autoencoder/residual_score.h"
#include "hyperdefect/detector/detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/nn/network.h"

namespace hyperdefect::detector {

/// Reconstructs each spectrum from its surroundings by a network, and scores what it could not reconstruct.
///
/// A network with skip connections copies its input, defects included, unless it is trained not to. Here it
/// learns to undo a corruption (LearningOptions): masks, whose pixels it does not see, or small smooth
/// defects, which it has to take out. With masks it also scores in masked passes: a pixel is judged by a
/// prediction that did not see it.
///
///     DetectorOptions options;
///     options.name = "autoencoder";
///     options.of<AutoencoderOptions>().score.inference = Inference::plain;
///     Pipeline pipeline(options, bands);  // engine::fit() fits it
class AutoencoderDetector : public Detector, public Trainable {
 public:
  AutoencoderDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess);

  Trainable* trainable() override { return this; }
  void initialise(at::Generator& generator) override { network_->initialise(generator); }
  std::vector<Loss> losses(const Batch& batch, at::Generator& generator) override;
  Measurement calibrate(const preprocess::Preprocessed& block) override;
  void finish_calibration() override { score_->finalise(); }
  bool is_normalised() const override { return true; }
  Measurement measure(const preprocess::Preprocessed& block) const override;
  Score score(const preprocess::Preprocessed& block, const Measurement& measured) const override;
  ReceptiveField receptive_field() const override;
  std::int64_t bytes_per_pixel() const override;
  std::int64_t measurement_bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  torch::Tensor reconstructed(const torch::Tensor& components, const Window& window) const;
  torch::Tensor masked_prediction(const torch::Tensor& components, const Window& window, std::int64_t size_px,
                                  std::int64_t repeat) const;
  std::vector<torch::Tensor> predictions(const torch::Tensor& components, const Window& window) const;
  torch::Tensor mask_loss(const Batch& batch, at::Generator& generator) const;
  torch::Tensor synthetic_defect_loss(const Batch& batch, at::Generator& generator) const;
  torch::Tensor random_illumination(std::int64_t patches, at::Generator& generator) const;
  torch::Tensor loss_of(const torch::Tensor& predicted, const torch::Tensor& target,
                        const torch::Tensor& weight) const;
  bool masked() const { return options_.score.inference == Inference::masked; }

  AutoencoderOptions options_;
  preprocess::ComponentSpec spec_;
  nn::Network network_{nullptr};
  ResidualScore score_{nullptr};
};

}  // namespace hyperdefect::detector
