// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/optim/adamw.h>

namespace hyperdefect::nn {

/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019): torch's, options and state
/// too, with one operation for all parameters of a group instead of a dozen small ones for each. A parameter
/// without a gradient is left as it is.
///
///     AdamW optimizer(network->parameters(), torch::optim::AdamWOptions(0.005));
///     optimizer.zero_grad();
///     loss.backward();
///     optimizer.step();
class AdamW : public torch::optim::AdamW {
 public:
  using torch::optim::AdamW::AdamW;

  /// Takes no closure. Throws for amsgrad.
  torch::Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace hyperdefect::nn
