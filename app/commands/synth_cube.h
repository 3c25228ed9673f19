// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>

#include "hyperdefect/format/georeference.h"
#include "hyperdefect/synthetic/degradation.h"
#include "hyperdefect/synthetic/synthetic_scene.h"

namespace hyperdefect::app {

/// What `synth` does to every cube.
struct SynthPlan {
  /// New scenes; a given cube takes its defects and its seed from here.
  synthetic::SceneOptions scene;
  /// What is done to a given cube before and after its defects are implanted.
  synthetic::Geometry geometry;
  synthetic::Disturbance disturbance;
  /// Folder of the masks of the given cubes; empty: their defects are not known.
  std::filesystem::path truth;

  bool writes_masks() const { return scene.implants.defects > 0 || !truth.empty(); }
};

/// What is to be written: a name below the output folder, and the cube that is given, if there is one.
struct SynthTask {
  std::filesystem::path relative;
  std::filesystem::path cube;
};

/// A cube as it is written, invalid pixels NaN, and the truth about it.
struct SynthCube {
  synthetic::LabelledCube cube;
  format::Georeference georeference;
};

/// The mask of a given cube. @throws InputError where the folder of the truths has none.
std::filesystem::path known_mask(const SynthTask& task, const std::filesystem::path& truth);

/// Makes the scene, or reads the given cube, brings it into another geometry, implants defects apart from
/// those that are known, and disturbs it. Random numbers come from the plan's seed and the task's name.
/// @throws InputError where the cube or its mask cannot be read, UsageError for an option out of its range.
SynthCube make_cube(const SynthTask& task, const SynthPlan& plan);

}  // namespace hyperdefect::app
