// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/optim/adamw.h>
#include <torch/utils.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hyperdefect/detector/autoencoder/autoencoder_options.h"
#include "hyperdefect/detector/classical/area_filter_detector.h"
#include "hyperdefect/detector/classical/crd_detector.h"
#include "hyperdefect/detector/classical/local_rx_detector.h"
#include "hyperdefect/detector/detector.h"
#include "hyperdefect/detector/likelihood_ratio/likelihood_ratio_options.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/detector/segmenter/segmenter_options.h"
#include "hyperdefect/spectral/types.h"
#include "support/scenes.h"
#include "support/test_device.h"

namespace hyperdefect::test {

/// A network of milliseconds: 4 pixels a token.
inline void make_tiny(nn::NetworkOptions& network) {
  network.features = {8, 8, 8};
  network.lift_channels = 2;
  network.lift_kernel = {3, 3, 3};
  network.lift_stride = {2, 1, 1};
  network.heads = 2;
}

/// Detectors that train and score in milliseconds: 4 pixels a token, windows of 8 pixels.
inline detector::DetectorOptions tiny_options(const std::string& name = "autoencoder") {
  detector::DetectorOptions options;
  options.name = name;
  options.preprocess.components = 4;
  options.attention_window = 2;
  options.precision = nn::Arithmetic::float32;
  auto& autoencoder = options.of<detector::AutoencoderOptions>();
  make_tiny(autoencoder.network);
  autoencoder.learning.mask_sizes_px = {3};
  autoencoder.score.smoothing_px = 0.0;
  auto& segmenter = options.of<detector::SegmenterOptions>();
  segmenter.features = {8, 8, 8};
  segmenter.heads = 2;
  segmenter.networks = 1;
  segmenter.sign_augmentations = 2;
  segmenter.step_fraction = 1.0;
  options.of<detector::LikelihoodRatioOptions>().components = 4;
  auto& area_filter = options.of<detector::AreaFilterOptions>();
  area_filter.components = 4;
  area_filter.sizes_px = {3, 8};
  auto& local_rx = options.of<detector::LocalRxOptions>();
  local_rx.components = 4;
  local_rx.window = {3, 9};
  auto& crd = options.of<detector::CrdOptions>();
  crd.components = 4;
  crd.window = {3, 9};
  return options;
}

using PipelinePtr = std::shared_ptr<detector::Pipeline>;

/// Not fitted; on the test device.
inline PipelinePtr pipeline_for(const detector::DetectorOptions& options, const spectral::Bands& bands) {
  auto pipeline = std::make_shared<detector::Pipeline>(options, bands);
  pipeline->to(test_device());
  return pipeline;
}

/// A part of the training data.
struct Part {
  spectral::Block block;
  /// What counts in statistics; all that is valid if it is not defined.
  torch::Tensor counted{};
};

/// The passes of the statistics.
inline void learn_statistics(detector::Pipeline& pipeline, const std::vector<Part>& parts) {
  const torch::NoGradGuard no_gradient;
  do {
    for (const auto& part : parts) {
      pipeline.accumulate(pipeline.preprocessed(part.block, part.counted));
    }
  } while (pipeline.finalise());
}

/// The pass that puts scores on a scale.
inline void calibrate(detector::Pipeline& pipeline, const std::vector<Part>& parts) {
  const torch::NoGradGuard no_gradient;
  pipeline.eval();
  for (const auto& part : parts) {
    pipeline.adapt(pipeline.preprocessed(part.block, part.counted));
  }
  for (const auto& part : parts) {
    pipeline.calibrate(pipeline.preprocessed(part.block, part.counted));
  }
  pipeline.finish_calibration();
}

/// The weights that training begins with.
inline void initialise(const detector::Pipeline& pipeline, std::uint64_t seed) {
  if (auto* trainable = pipeline.trainable()) {
    auto generator = seeded(seed);
    trainable->initialise(generator);
  }
}

/// A pipeline with the statistics of a scene and untrained weights.
inline PipelinePtr prepared(const detector::DetectorOptions& options, const spectral::Block& scene,
                            std::uint64_t seed = 1) {
  auto pipeline = pipeline_for(options, regular_bands(scene.values.size(0)));
  initialise(*pipeline, seed);
  learn_statistics(*pipeline, {{scene}});
  return pipeline;
}

/// The same, calibrated.
inline PipelinePtr fitted(const detector::DetectorOptions& options, const spectral::Block& scene,
                          std::uint64_t seed = 1) {
  auto pipeline = prepared(options, scene, seed);
  calibrate(*pipeline, {{scene}});
  return pipeline;
}

/// The maps of a block of a cube with these bands.
inline detector::ScoreMaps scored(const detector::Pipeline& pipeline, const spectral::Block& block,
                                  const spectral::Bands& cube) {
  const torch::NoGradGuard no_gradient;
  return pipeline.score(pipeline.preprocessed(pipeline.picker(cube).of(block)));
}

/// The same of a cube with the pipeline's bands.
inline detector::ScoreMaps scored(const detector::Pipeline& pipeline, const spectral::Block& block) {
  return scored(pipeline, block, pipeline.bands());
}

/// A batch of copies of a scene.
inline detector::Batch batch_of(const detector::Pipeline& pipeline, const spectral::Block& scene,
                                std::int64_t copies = 1) {
  const torch::NoGradGuard no_gradient;
  const auto block = pipeline.preprocessed(scene);
  return {pipeline.training_input(block).repeat({copies, 1, 1, 1}), block.valid().repeat({copies, 1, 1})};
}

/// The sum of the losses of a step, a scalar.
inline torch::Tensor loss_of(detector::Trainable& trainable, const detector::Batch& batch,
                             at::Generator& generator) {
  auto sum = torch::zeros({});
  for (const auto& loss : trainable.losses(batch, generator)) {
    if (const auto value = loss(); value.defined()) {
      sum = sum.to(value.device()) + value;
    }
  }
  return sum;
}

/// An epoch of so many steps on batches of copies of a scene.
inline void train(detector::Pipeline& pipeline, const spectral::Block& scene, int steps,
                  std::int64_t copies = 1) {
  std::vector<torch::Tensor> learned;
  for (const auto& parameter : pipeline.parameters()) {
    if (parameter.requires_grad()) {
      learned.push_back(parameter);
    }
  }
  torch::optim::AdamW optimizer(learned, torch::optim::AdamWOptions(0.01));
  auto generator = seeded(4);
  const auto batch = batch_of(pipeline, scene, copies);
  pipeline.train();
  pipeline.trainable()->begin_epoch();
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    loss_of(*pipeline.trainable(), batch, generator).backward();
    optimizer.step();
  }
  pipeline.eval();
}

}  // namespace hyperdefect::test
