// SPDX-License-Identifier: Apache-2.0
#include "app/commands/trained_model.h"

#include "app/cli/console.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/product_region.h"

namespace hyperdefect::app {
namespace {

void refuse_contradictions(const std::string& path, model::RunConfig& trained, model::RunConfig& asked,
                           Threshold threshold) {
  const auto before = model::schema_of(trained).keys();
  const auto after = model::schema_of(asked).keys();
  const bool manual = asked.threshold.method == model::ThresholdMethod::manual;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].value_text == after[i].value_text) {
      continue;
    }
    const auto& key = before[i].name;
    if (before[i].traits.fixed_by_training) {
      throw UsageError(text::concat(key, " is ", after[i].value_text, ", but ", path, " was trained with ",
                                    before[i].value_text, ": leave it out, or train another model"));
    }
    const bool sets_threshold =
        threshold == Threshold::is_kept && key.rfind("threshold.", 0) == 0 && key != "threshold.min_pixels";
    if (sets_threshold && !manual) {
      throw UsageError(text::concat(
          key, ": the threshold of ", path, " was set when it was trained; infer can only replace it with ",
          "threshold.method=manual and threshold.value; `hyperdefect threshold` sets it ",
          "anew from normal cubes"));
    }
  }
}

/// A file that states the region of the training cubes says nothing of others, and a model may come from
/// elsewhere: the user says what holds now.
void forget_region_file(model::RunConfig& config) {
  if (engine::names_a_file(config.data)) {
    config.data.region.clear();
  }
}

void refuse_unknown_region(const std::string& path, const model::RunConfig& trained,
                           const model::RunConfig& config) {
  const auto& asked = config.data.region;
  if (model::automatic_region(asked) && asked != trained.data.region) {
    throw UsageError(text::concat("data.region is ", asked, ", but ", path, " was trained with ",
                                  trained.data.region, ", so that it does not know the background: give a ",
                                  "file, a folder of masks or none, or train another model"));
  }
  if (config.data.region.empty()) {
    throw UsageError(text::concat(
        path, " was trained inside a region (data.region=", trained.data.region,
        "): give that of these cubes with --set data.region=..., a file or a folder of masks, or none"));
  }
}

}  // namespace

std::shared_ptr<model::FittedModel> read_model(const std::string& file) {
  const Console console("read the model");
  return std::make_shared<model::FittedModel>(model::load_model(file));
}

model::RunConfig config_for(const model::FittedModel& fitted, const std::string& file,
                            const CommonOptions& options, Threshold threshold) {
  auto trained = fitted.config;
  auto config = trained;
  forget_region_file(config);
  const auto remarks = apply_run_options(options, config);
  refuse_unknown_region(file, trained, config);
  refuse_contradictions(file, trained, config, threshold);
  for (const auto& line : remarks) {
    log::warning(line);
  }
  return config;
}

}  // namespace hyperdefect::app
