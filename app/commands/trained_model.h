// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "app/cli/common_options.h"
#include "hyperdefect/model/fitted_model.h"

namespace hyperdefect::app {

/// The model of a file. @throws ModelError
std::shared_ptr<model::FittedModel> read_model(const std::string& file);

/// Whether a command sets the threshold of a model anew.
enum class Threshold { is_kept, is_set_anew };

/// The configuration that the model carries and the options change. They may repeat what the model was
/// trained with, but not contradict it; of a threshold that is kept they may only set a value, since the
/// scores that it came from are not at hand. Warns of keys that have no effect. @throws UsageError for a
/// contradiction.
model::RunConfig config_for(const model::FittedModel& fitted, const std::string& file,
                            const CommonOptions& options, Threshold threshold);

}  // namespace hyperdefect::app
