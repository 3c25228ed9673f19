// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/scorer.h"

#include <utility>

#include "hyperdefect/core/atomic_file.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/decision/false_alarm_rates.h"
#include "hyperdefect/engine/drift.h"
#include "hyperdefect/engine/fit.h"
#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/result_files.h"
#include "hyperdefect/model/threshold.h"
#include "hyperdefect/preprocess/band_picker.h"

namespace hyperdefect::engine {
namespace {

/// Of one cube: a bound on the share of false discoveries is kept by a threshold of its own.
decision::DetectionRule rule_for(const model::FittedModel& model, const detector::ScoreMaps& maps) {
  auto rule = decision::rule_of(model);
  const auto& options = model.config.threshold;
  if (options.method == model::ThresholdMethod::false_discovery_rate) {
    rule.threshold =
        model::false_discovery_threshold(maps.score.masked_select(maps.valid), options.false_discovery_rate);
    rule.min_evidence = model::min_evidence_from(options, rule.threshold);
  }
  return rule;
}

/// Counts and reflectance differ by orders of magnitude: a model of one says nothing about the other.
void refuse_other_values(const CubeSource& cube, const model::FittedModel& model) {
  if (!model.trained_on_reflectance || *model.trained_on_reflectance == cube.is_reflectance()) {
    return;
  }
  const auto name = cube.name();
  throw ModelError(
      cube.is_reflectance()
          ? text::concat(name, ": ", described(cube.references()),
                         " would convert it to reflectance, but the model was trained on cubes without "
                         "references; set data.references=none, or train a model with references")
          : text::concat(
                name,
                ": its values are as the file holds them, but the model was trained on "
                "reflectance; name its white reference with data.white, or place it next to the cube "
                "(STEM_WHITEREF)"));
}

}  // namespace

void prepare_for_model(CubeSource& cube, const model::FittedModel& model, ProgressMonitor& monitor) {
  refuse_other_values(cube, model);
  const auto& bands = model.detector->bands();
  cube.prepare_for(bands, model.config.detector.preprocess, monitor);
  if (model::automatic_region(model.config.data.region)) {
    apply_product_split(cube, bands, model.config, model.product, monitor);
  }
}

ModelScorer::ModelScorer(std::shared_ptr<const model::FittedModel> model, std::int64_t ram_mb)
    : model_(std::move(model)), ram_mb_(ram_mb) {}

void ModelScorer::prepare(CubeSource& cube, ProgressMonitor& monitor) {
  prepare_for_model(cube, *model_, monitor);
}

ScoredCube ModelScorer::score(preprocess::BlockSource& source, const std::filesystem::path&,
                              ProgressMonitor& monitor) {
  std::optional<model::Drift> drift;
  std::optional<spectral::Bulk> bulk;
  if (model_->drift) {
    bulk = bulk_of(*model_->detector, source);
  }
  if (bulk) {
    drift = model::drift_of(*bulk, *model_->drift, model_->detector->bands(), model_->config.drift);
  }
  auto maps = predict(*model_->detector, *adapted(not_owned(source), *model_, bulk), ram_mb_, monitor);
  maps.score = model::calibrated(maps.score, *model_);
  const auto rule = rule_for(*model_, maps);
  return {std::move(maps), rule, {model_->training_valid_share, false}, std::move(drift)};
}

SceneScorer::SceneScorer(model::RunConfig config, std::filesystem::path save_models)
    : config_(std::move(config)), save_models_(std::move(save_models)) {}

void SceneScorer::prepare(CubeSource& cube, ProgressMonitor& monitor) {
  cube.prepare_to_fit(config_.detector.preprocess, monitor);
  product_.reset();
  if (const auto material = model::automatic_region(config_.data.region)) {
    product_ = Product{*material, ProductSample({not_owned(cube)}, config_.detector.preprocess)};
    auto config = config_;
    auto& dropped = config.detector.preprocess.drop_bands;
    const auto empty = cube.empty_bands();
    dropped.insert(dropped.end(), empty.begin(), empty.end());
    const auto product = product_->sample.split(config.detector.preprocess, *material);
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
    if (product_) {
      fitted.product = product_->sample.split(fitted.config.detector.preprocess, product_->material).split;
    }
    fitted.training_valid_share = maps.valid.to(torch::kDouble).mean().item<double>();
    const auto path = ResultFiles(save_models_, relative).model();
    make_folder(path.parent_path());
    model::save_model(path, fitted);
  }
  const auto rule = rule_for(fitted, maps);
  return {std::move(maps), rule, {1.0, true}};
}

}  // namespace hyperdefect::engine
