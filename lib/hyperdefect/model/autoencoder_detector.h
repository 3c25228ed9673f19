// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hyperdefect/model/detector.h"
#include "hyperdefect/model/network.h"
#include "hyperdefect/model/preprocess.h"
#include "hyperdefect/model/scene_statistics.h"
#include "hyperdefect/model/score.h"

namespace hyperdefect::model {

/// Reconstructs each spectrum from its surroundings by a network, and scores what it could not reconstruct.
///
/// A network with skip connections copies its input, defects included, unless it is trained not to. Here it
/// learns to undo a corruption (LearningOptions): holes, whose pixels it does not see, or small smooth
/// defects, which it has to take out. With `holes` it also scores in masked passes: a pixel is judged by a
/// prediction that did not see it.
class AutoencoderDetector : public Detector {
 public:
  AutoencoderDetector(const DetectorOptions& options, const spectral::Bands& bands);

  const spectral::Bands& bands() const override { return preprocess_->bands(); }
  void bind(const spectral::Bands& cube) override { preprocess_->bind(cube); }
  void observe(const spectral::Block& block) override;
  bool finish() override;
  bool trainable() const override { return true; }
  spectral::Block prepare(const spectral::Block& block) const override { return preprocess_->prepare(block); }
  std::vector<Loss> losses(const Batch& batch, at::Generator& generator) override;
  void calibrate(const spectral::Block& block) override;
  void finish_calibration() override;
  ScoreMaps score(const spectral::Block& block) override;
  Field field() const override;
  std::int64_t bytes_per_pixel() const override;
  std::string summary() const override;

 private:
  torch::Tensor reconstructed(const torch::Tensor& components, const Window& window);
  torch::Tensor masked_prediction(const torch::Tensor& components, const Window& window,
                                  std::int64_t size_px);
  std::vector<torch::Tensor> predictions(const torch::Tensor& components, const Window& window);
  ScoreParts parts_of(const spectral::Block& block);
  torch::Tensor hole_loss(const Batch& batch, at::Generator& generator);
  torch::Tensor defect_loss(const Batch& batch, at::Generator& generator);
  torch::Tensor random_illumination(std::int64_t patches, at::Generator& generator) const;
  torch::Tensor loss_of(const torch::Tensor& predicted, const torch::Tensor& target,
                        const torch::Tensor& weight) const;
  bool masked() const { return options_.score.passes == "masked"; }

  DetectorOptions options_;
  SceneStatistics statistics_;
  Preprocess preprocess_{nullptr};
  Network network_{nullptr};
  Score score_{nullptr};
  torch::Tensor spectra_;
};

}  // namespace hyperdefect::model
