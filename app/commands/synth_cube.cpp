// SPDX-License-Identifier: Apache-2.0
#include "app/commands/synth_cube.h"

#include <limits>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/random.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/evaluation/evaluator.h"
#include "hyperdefect/io/cube_reader.h"
#include "hyperdefect/io/mask_reader.h"

namespace hyperdefect::app {
namespace {

namespace fs = std::filesystem;

SynthCube make_new(synthetic::SceneOptions options, std::uint64_t seed) {
  options.seed = seed;
  auto scene = synthetic::make_scene(options);
  return {{scene.values, torch::ones(scene.mask.sizes(), torch::kBool), scene.mask, scene.bands}, {}};
}

torch::Tensor read_known_mask(const SynthTask& task, const fs::path& truth, const format::CubeInfo& info) {
  if (truth.empty()) {
    return torch::zeros({info.rows, info.cols}, torch::kBool);
  }
  return io::read_mask(known_mask(task, truth),
                       io::ExpectedSize{info.size(), text::concat("its cube ", task.cube.string())});
}

void clear_invalid(synthetic::LabelledCube& cube) {
  cube.values = cube.values.masked_fill(cube.valid.logical_not(), std::numeric_limits<float>::quiet_NaN());
}

SynthCube read_given(const SynthTask& task, const fs::path& truth) {
  io::CubeReader reader(format::read_cube_info(task.cube));
  const auto& info = reader.info();
  const auto block = reader.read(whole(info.size()));
  const auto mask = read_known_mask(task, truth, info);
  return {{block.values, block.valid, mask.logical_and(block.valid), info.bands}, info.georeference};
}

/// Pixels that are invalid stay so, and no defect is claimed for them.
void implant(synthetic::LabelledCube& cube, synthetic::ImplantOptions options, std::uint64_t seed) {
  options.keep_clear = cube.mask.logical_or(cube.valid.logical_not());
  auto generator = at::detail::createCPUGenerator(seed);
  const auto implanted = synthetic::implant(cube.values, cube.bands, options, generator);
  cube.values = implanted.values;
  cube.mask = cube.mask.logical_or(implanted.mask.logical_and(cube.valid));
}

SynthCube make_from(const SynthTask& task, const SynthPlan& plan, std::uint64_t seed) {
  auto made = read_given(task, plan.truth);
  made.cube = synthetic::reshaped(made.cube, plan.geometry);
  if (plan.geometry.moves_pixels()) {
    made.georeference = {};
  }
  clear_invalid(made.cube);
  implant(made.cube, plan.scene.implants, seed);
  made.cube = synthetic::disturbed(made.cube, plan.disturbance, seed);
  clear_invalid(made.cube);
  return made;
}

}  // namespace

fs::path known_mask(const SynthTask& task, const fs::path& truth) {
  auto mask = evaluation::find_truth(task.relative.generic_string(), truth);
  if (!mask) {
    throw InputError(text::concat(task.cube.string(), ": has no mask in ", truth.string(), "; looked for ",
                                  (truth / task.relative).string(), "_mask.png (or .tif)"));
  }
  return *std::move(mask);
}

SynthCube make_cube(const SynthTask& task, const SynthPlan& plan) {
  const auto seed = derive_seed(plan.scene.seed, task.relative.generic_string());
  return task.cube.empty() ? make_new(plan.scene, seed) : make_from(task, plan, seed);
}

}  // namespace hyperdefect::app
