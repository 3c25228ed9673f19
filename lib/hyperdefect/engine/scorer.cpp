// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/scorer.h"

#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/result_files.h"

namespace hyperdefect::engine {

ModelScorer::ModelScorer(std::shared_ptr<const model::FittedModel> model, std::int64_t ram_mb)
    : model_(std::move(model)), ram_mb_(ram_mb) {}

void ModelScorer::prepare(CubeSource& cube, ProgressMonitor& monitor) const {
  cube.prepare_for(model_->detector->bands(), model_->config.detector.preprocess, monitor);
}

ScoredCube ModelScorer::score(preprocess::BlockSource& source, const std::filesystem::path&,
                              ProgressMonitor& monitor) {
  auto maps = predict(*model_->detector, source, ram_mb_, monitor);
  maps.score = model::calibrated(maps.score, *model_);
  return {std::move(maps), model_->threshold, {model_->training_valid_share, false}};
}

SceneScorer::SceneScorer(model::RunConfig config, std::filesystem::path save_models)
    : config_(std::move(config)), save_models_(std::move(save_models)) {}

void SceneScorer::prepare(CubeSource& cube, ProgressMonitor& monitor) const {
  cube.prepare_to_fit(config_.detector.preprocess, monitor);
}

ScoredCube SceneScorer::score(preprocess::BlockSource& source, const std::filesystem::path& relative,
                              ProgressMonitor& monitor) {
  const auto seed = derive_seed(static_cast<std::uint64_t>(config_.run.seed), relative.generic_string());
  auto scene = fit_scene(source, config_, seed, monitor);
  auto& fitted = scene.model;
  auto maps = maps_of(scene, source, monitor);
  model::set_threshold(fitted, maps.score.flatten());
  maps.score = model::calibrated(maps.score, fitted);
  if (!save_models_.empty()) {
    fitted.training_valid_share = maps.valid.to(torch::kDouble).mean().item<double>();
    const auto path = ResultFiles(save_models_, relative).model();
    make_folder(path.parent_path());
    model::save_model(path, fitted);
  }
  return {std::move(maps), fitted.threshold, {1.0, true}};
}

}  // namespace hyperdefect::engine
