// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/predictor.h"

#include <limits>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/image/crop.h"

namespace hyperdefect::engine {
namespace {

/// Floats that reading and matching hold for one band of one pixel.
constexpr std::int64_t kCopiesOfACube = 4;

torch::Tensor cut(const torch::Tensor& map, const Window& part, const Window& of) {
  return image::crop(map, {part.row - of.row, part.col - of.col, part.rows, part.cols});
}

/// Physical values are smaller by far. The squares of larger ones overflow, and the distance of such a pixel,
/// which is the clearest defect, would not be a number.
constexpr double kLargestValue = 1e12;

/// Of a block that may share its memory with the source.
spectral::Block bounded(spectral::Block block) {
  block.values = block.values.clamp(-kLargestValue, kLargestValue);
  return block;
}

/// The whole image's map of a part; made when the first block brings it.
torch::Tensor& part_map(detector::ScoreMaps& scene, std::size_t index, const std::string& name) {
  if (scene.parts.size() <= index) {
    scene.parts.emplace_back(name, torch::full_like(scene.score, std::numeric_limits<float>::quiet_NaN()));
  }
  return scene.parts[index].second;
}

void keep(const detector::ScoreMaps& block, const Tile& window, detector::ScoreMaps& scene) {
  const Window image{0, 0, scene.score.size(0), scene.score.size(1)};
  cut(scene.score, window.write, image).copy_(cut(block.score, window.write, window.read));
  cut(scene.sad_rad, window.write, image).copy_(cut(block.sad_rad, window.write, window.read));
  cut(scene.valid, window.write, image).copy_(cut(block.valid, window.write, window.read));
  for (std::size_t i = 0; i < block.parts.size(); ++i) {
    const auto& [name, map] = block.parts[i];
    cut(part_map(scene, i, name), window.write, image).copy_(cut(map, window.write, window.read));
  }
}

}  // namespace

std::vector<Tile> plan_for(const detector::Pipeline& detector, const preprocess::BlockSource& source,
                           std::int64_t ram_mb, const ReceptiveField& field) {
  PlanLimits limits;
  limits.bytes_per_pixel = source.bands().count * static_cast<std::int64_t>(sizeof(float)) * kCopiesOfACube +
                           detector.bytes_per_pixel();
  limits.max_bytes = ram_mb << 20;
  return plan_windows(source.size(), field, limits);
}

std::vector<Tile> plan_for(const detector::Pipeline& detector, const preprocess::BlockSource& source,
                           std::int64_t ram_mb) {
  return plan_for(detector, source, ram_mb, detector.receptive_field());
}

detector::ScoreMaps predict(const detector::Pipeline& detector, preprocess::BlockSource& source,
                            std::int64_t ram_mb, ProgressMonitor& monitor) {
  const c10::InferenceMode inference;
  const auto picker = detector.picker(source.bands());
  const auto size = source.size();
  const auto unset = torch::full({size.rows, size.cols}, std::numeric_limits<float>::quiet_NaN());
  detector::ScoreMaps scene{unset, unset.clone(), torch::zeros({size.rows, size.cols}, torch::kBool)};
  const auto plan = plan_for(detector, source, ram_mb);
  monitor.progress({"score", 0, static_cast<std::int64_t>(plan.size()), {}});
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (monitor.stop_requested()) {
      throw Interrupted(text::concat("stopped while scoring ", source.name()));
    }
    const auto block = detector.preprocessed(bounded(picker.of(source.read(plan[i].read))));
    keep(detector.score(block), plan[i], scene);
    monitor.progress({"score", static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(plan.size()), {}});
  }
  return scene;
}

}  // namespace hyperdefect::engine
