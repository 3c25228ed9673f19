// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hyperdefect/model/run_config.h"
#include "support/tiny_model.h"

namespace hyperdefect::test {

/// tiny_options(), and a training of 4 epochs of 2 steps, on the CPU.
inline model::RunConfig tiny_config() {
  model::RunConfig config;
  config.detector = tiny_options();
  config.train.epochs = 4;
  config.train.steps_per_epoch = 2;
  config.train.batch = 2;
  config.train.patch_px = 16;
  config.train.warmup_steps = 2;
  config.run.device = platform::DeviceChoice::cpu;
  return config;
}

}  // namespace hyperdefect::test
