// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "hyperdefect/detector/classical/area_filter_detector.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/model/model_file.h"
#include "support/memory_blocks.h"
#include "support/tiny_config.h"

namespace hyperdefect::test {

inline std::shared_ptr<MemoryBlocks> smooth_cube(std::int64_t bands, Size size, std::uint64_t seed) {
  return memory_blocks(smooth_scene(bands, size, seed));
}

/// A detector that is not fitted, for cubes of regular_bands().
inline std::shared_ptr<detector::Pipeline> pipeline_of(const model::RunConfig& config, std::int64_t bands) {
  return std::make_shared<detector::Pipeline>(config.detector, regular_bands(bands));
}

/// A fitted RX whose mean spectrum is 0 and whose covariance is the identity, so that what surrounds a
/// detector is seen through it: a pixel's score is the norm of its values, and its components are its values.
inline std::shared_ptr<detector::Pipeline> transparent_pipeline(std::int64_t bands,
                                                                const std::string& detector = "rx") {
  detector::DetectorOptions options;
  options.name = detector;
  options.preprocess.components = bands;
  options.of<detector::AreaFilterOptions>().components = bands;
  auto pipeline = std::make_shared<detector::Pipeline>(options, regular_bands(bands));
  const torch::NoGradGuard no_gradient;
  for (auto& [name, tensor] : model::state_of(*pipeline)) {
    if (name == "preprocess.axes") {
      tensor.copy_(torch::eye(bands, tensor.size(1)));
    } else if (name == "preprocess.precision" || name == "detector.precision") {
      tensor.copy_(torch::eye(bands));
    } else if (name == "preprocess.variances") {
      tensor.fill_(1.0);
    } else {
      tensor.zero_();
    }
  }
  return pipeline;
}

/// Asks to stop after so many reports of a task.
class StopAfter : public engine::ProgressMonitor {
 public:
  StopAfter(std::string task, std::int64_t reports) : task_(std::move(task)), left_(reports) {}
  void progress(const engine::Progress& progress) override { left_ -= progress.task == task_ ? 1 : 0; }
  bool stop_requested() const override { return left_ <= 0; }

 private:
  std::string task_;
  std::int64_t left_;
};

}  // namespace hyperdefect::test
