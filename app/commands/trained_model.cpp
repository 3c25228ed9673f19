// SPDX-License-Identifier: Apache-2.0
#include "app/commands/trained_model.h"

#include "app/cli/console.h"
#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"

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

}  // namespace

std::shared_ptr<model::FittedModel> read_model(const std::string& file) {
  const Console console("read the model");
  return std::make_shared<model::FittedModel>(model::load_model(file));
}

model::RunConfig config_for(const model::FittedModel& fitted, const std::string& file,
                            const CommonOptions& options, Threshold threshold) {
  auto trained = fitted.config;
  auto config = trained;
  const auto remarks = apply_run_options(options, config);
  refuse_contradictions(file, trained, config, threshold);
  for (const auto& line : remarks) {
    log::warning(line);
  }
  return config;
}

}  // namespace hyperdefect::app
