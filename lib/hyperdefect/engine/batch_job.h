// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "hyperdefect/engine/results.h"
#include "hyperdefect/files/find_cubes.h"
#include "hyperdefect/model/run_config.h"

namespace hyperdefect::engine {

/// What to do if an output is already there.
enum class Existing { refuse, overwrite, resume };

/// A run over many cubes.
///
///     BatchJob job;
///     job.cubes = files::find_cubes({"scans/", "more/*.img"}).cubes;
///     job.output = "maps";
///     job.existing = Existing::resume;
///     model::read_built_in("single_scene", job.config);
struct BatchJob {
  std::vector<files::CubeInput> cubes;
  std::filesystem::path output;
  Existing existing = Existing::refuse;
  model::RunConfig config;
  Provenance made_with;
  /// Whether the scorer writes STEM_model.safetensors too.
  bool saves_models = false;
};

}  // namespace hyperdefect::engine
