// SPDX-License-Identifier: Apache-2.0
// Loads a model and scores a cube with the installed library: score_cube MODEL CUBE
#include <torch/types.h>

#include <exception>
#include <iostream>

#include "hyperdefect/engine/predictor.h"
#include "hyperdefect/engine/progress_monitor.h"
#include "hyperdefect/engine/sources.h"
#include "hyperdefect/model/fitted_model.h"

namespace {

using namespace hyperdefect;

/// The example of engine/predictor.h.
void score_cube(const char* model_file, const char* cube_file) {
  const model::FittedModel fitted = model::load_model(model_file);
  engine::CubeSource cube(cube_file, fitted.config.data);
  engine::ProgressMonitor monitor;
  cube.prepare_for(fitted.detector->bands(), fitted.config.detector.preprocess, monitor);
  auto maps = engine::predict(*fitted.detector, cube, fitted.config.run.ram_mb, monitor);
  maps.score = model::calibrated(maps.score, fitted);
  const auto defects = (maps.score > fitted.threshold).logical_and(maps.valid);
  const auto scores = maps.score.masked_select(maps.valid);
  std::cout << 100 * defects.sum().item<double>() / static_cast<double>(scores.numel())
            << " % of the pixels are defects, the highest score is " << scores.max().item<double>() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: score_cube MODEL CUBE\n";
    return 2;
  }
  try {
    score_cube(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& reason) {
    std::cerr << "error: " << reason.what() << '\n';
    return 1;
  }
}
