// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

namespace hyperdefect::model {

/// While it lives, convolutions and matrix products run in bfloat16 on its device type; weights stay float32.
class Autocast {
 public:
  Autocast(bool enabled, torch::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool was_enabled_;
  at::ScalarType earlier_type_;
};

}  // namespace hyperdefect::model
