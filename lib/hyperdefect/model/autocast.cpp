// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/autocast.h"

namespace hyperdefect::model {

Autocast::Autocast(bool enabled, torch::Device device)
    : device_(device.type()),
      was_enabled_(at::autocast::is_autocast_enabled(device_)),
      earlier_type_(at::autocast::get_autocast_dtype(device_)) {
  at::autocast::set_autocast_enabled(device_, enabled);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  // The cache holds casts of weights: they must not outlive the step that changes the weights.
  if (at::autocast::decrement_nesting() == 0) {
    at::autocast::clear_cache();
  }
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, earlier_type_);
}

}  // namespace hyperdefect::model
