// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/scorer.h"

#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/result_files.h"
#include "hyperdefect/preprocess/band_picker.h"

namespace hyperdefect::engine {
namespace {

std::shared_ptr<preprocess::BlockSource> not_owned(preprocess::BlockSource& source) {
  return {std::shared_ptr<void>(), &source};
}

}  // namespace

ModelScorer::ModelScorer(std::shared_ptr<const model::FittedModel> model, std::int64_t ram_mb)
    : model_(std::move(model)), ram_mb_(ram_mb) {}

void ModelScorer::prepare(CubeSource& cube, ProgressMonitor& monitor) {
  const auto& bands = model_->detector->bands();
  cube.prepare_for(bands, model_->config.detector.preprocess, monitor);
  if (model::automatic_region(model_->config.data.region)) {
    apply_product_split(cube, bands, model_->config, model_->product, monitor);
  }
}

ScoredCube ModelScorer::score(preprocess::BlockSource& source, const std::filesystem::path&,
                              ProgressMonitor& monitor) {
  auto maps = predict(*model_->detector, source, ram_mb_, monitor);
  maps.score = model::calibrated(maps.score, *model_);
  return {std::move(maps), model_->threshold, {model_->training_valid_share, false}};
}

SceneScorer::SceneScorer(model::RunConfig config, std::filesystem::path save_models)
    : config_(std::move(config)), save_models_(std::move(save_models)) {}

void SceneScorer::prepare(CubeSource& cube, ProgressMonitor& monitor) {
  cube.prepare_to_fit(config_.detector.preprocess, monitor);
  sample_.reset();
  if (const auto material = model::automatic_region(config_.data.region)) {
    sample_.emplace(ProductSample::Sources{not_owned(cube)}, config_.detector.preprocess);
    auto config = config_;
    auto& dropped = config.detector.preprocess.drop_bands;
    const auto empty = cube.empty_bands();
    dropped.insert(dropped.end(), empty.begin(), empty.end());
    const auto product = sample_->split(config.detector.preprocess, *material);
    log::info(text::concat(cube.name(), ": ", product.remark));
    apply_product_split(cube, preprocess::bands_in_use(cube.bands(), config.detector.preprocess), config,
                        product.split, monitor);
  }
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
    if (sample_) {
      fitted.product =
          sample_->split(fitted.config.detector.preprocess, *model::automatic_region(config_.data.region))
              .split;
    }
    fitted.training_valid_share = maps.valid.to(torch::kDouble).mean().item<double>();
    const auto path = ResultFiles(save_models_, relative).model();
    make_folder(path.parent_path());
    model::save_model(path, fitted);
  }
  return {std::move(maps), fitted.threshold, {1.0, true}};
}

}  // namespace hyperdefect::engine
