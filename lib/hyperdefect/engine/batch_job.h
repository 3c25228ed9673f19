// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "hyperdefect/engine/results.h"
#include "hyperdefect/engine/run_config.h"
#include "hyperdefect/io/find_cubes.h"

namespace hyperdefect::engine {

/// What to do if an output is already there.
enum class Existing { refuse, overwrite, resume };

/// A run over many cubes.
struct BatchJob {
  std::vector<io::CubeInput> cubes;
  std::filesystem::path output;
  Existing existing = Existing::refuse;
  RunConfig config;
  Provenance made_with;
  /// Whether the scorer writes STEM_model.safetensors too.
  bool saves_models = false;
};

}  // namespace hyperdefect::engine
