// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <map>
#include <string>

namespace hyperdefect::test {

using State = std::map<std::string, torch::Tensor>;

/// Copies of all parameters and buffers of a module, by their names.
inline State state_of(const torch::nn::Module& module) {
  State state;
  for (const auto& parameter : module.named_parameters()) {
    state[parameter.key()] = parameter.value().detach().clone();
  }
  for (const auto& buffer : module.named_buffers()) {
    state[buffer.key()] = buffer.value().detach().clone();
  }
  return state;
}

/// Gives a module, built alike, what state_of() another one; of the other one only what begins with `prefix`.
inline void load_state(torch::nn::Module& module, const State& state, const std::string& prefix = {}) {
  const torch::NoGradGuard no_gradient;
  const auto fill = [&](const auto& named) {
    for (auto& tensor : named) {
      const auto found = state.find(prefix + tensor.key());
      ASSERT_NE(found, state.end()) << prefix + tensor.key();
      ASSERT_EQ(tensor.value().sizes(), found->second.sizes()) << tensor.key();
      tensor.value().copy_(found->second);
    }
  };
  auto parameters = module.named_parameters();
  auto buffers = module.named_buffers();
  fill(parameters);
  fill(buffers);
}

}  // namespace hyperdefect::test
