// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/pipeline.h"

#include <limits>
#include <sstream>

#include "hyperdefect/detector/registry.h"
#include "hyperdefect/spectral/angle.h"

namespace hyperdefect::detector {

Pipeline::Pipeline(const DetectorOptions& options, const spectral::Bands& bands)
    : torch::nn::Module("Pipeline") {
  preprocess_ = register_module("preprocess",
                                preprocess::Preprocess(options.preprocess, bands, components_taken(options)));
  detector_ = register_module("detector", make_detector(options, preprocess_));
  eval();
}

preprocess::BandPicker Pipeline::picker(const spectral::Bands& cube) const {
  return {cube, bands(), preprocess_->options()};
}

preprocess::Preprocessed Pipeline::preprocessed(const spectral::Block& block,
                                                const torch::Tensor& counted) const {
  return preprocess::Preprocessed(*preprocess_, block, counted);
}

void Pipeline::accumulate(const preprocess::Preprocessed& block) {
  auto* statistics = detector_->statistics();
  if (preprocessing_is_known_) {
    statistics->accumulate(block);
    return;
  }
  preprocess_->accumulate(block);
  if (statistics != nullptr && !features_are_seen_) {
    statistics->accumulate_features(block);
  }
}

bool Pipeline::finalise() {
  auto* statistics = detector_->statistics();
  bool again = false;
  if (preprocessing_is_known_) {
    again = statistics->finalise();
  } else {
    again = preprocess_->finalise();
    features_are_seen_ = true;
    preprocessing_is_known_ = !again;
    if (!again && statistics != nullptr) {
      again = statistics->begin();
    }
  }
  if (!again) {
    preprocessing_is_known_ = features_are_seen_ = false;
  }
  return again;
}

std::int64_t Pipeline::statistics_reach_px() const {
  const auto* statistics = detector_->statistics();
  return statistics == nullptr ? 0 : statistics->reach_px();
}

torch::Tensor Pipeline::training_input(const preprocess::Preprocessed& block) const {
  return block.components(preprocess_->network_components());
}

ScoreMaps Pipeline::score(const preprocess::Preprocessed& block, const Measurement& measured) const {
  auto score = detector_->score(block, measured);
  const auto valid = block.valid().cpu();
  const auto if_valid = [&valid](const torch::Tensor& map) {
    return torch::where(valid, map.to(torch::kCPU, torch::kFloat), std::numeric_limits<float>::quiet_NaN());
  };
  ScoreMaps maps{if_valid(score.map), if_valid(angle_map(block, measured)), valid, {}};
  for (const auto& [name, map] : score.parts) {
    maps.parts.emplace_back(name, if_valid(map));
  }
  return maps;
}

torch::Tensor Pipeline::angle_map(const preprocess::Preprocessed& block, const Measurement& measured) const {
  const auto expected = measured.expected.defined()
                            ? preprocess_->spectra(measured.expected, measured.expected_spec)
                            : preprocess_->mean_spectrum();
  return spectral::spectral_angle_map(preprocess_->physical(block.features()), expected);
}

std::int64_t Pipeline::bytes_per_pixel() const {
  // Features and their spectra, the expected ones, and twice the scores on the principal axes.
  const auto floats = 5 * preprocess_->features();
  return floats * static_cast<std::int64_t>(sizeof(float)) + detector_->bytes_per_pixel();
}

std::string Pipeline::summary() const {
  std::ostringstream page;
  preprocess_->pretty_print(page);
  page << "\n" << detector_->summary();
  return page.str();
}

}  // namespace hyperdefect::detector
