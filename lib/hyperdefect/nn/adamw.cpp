// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/adamw.h"

#include <torch/utils.h>

#include <map>
#include <memory>
#include <vector>

namespace hyperdefect::nn {
namespace {

using State = torch::optim::AdamWParamState;

/// What one operation changes: entry i of each list belongs to parameter i.
struct Lists {
  std::vector<torch::Tensor> parameters, gradients, means, squares, steps;
};

/// The operation goes through memory in order: what belongs together must lie alike.
torch::Tensor laid_out_like(const torch::Tensor& tensor, const torch::Tensor& like) {
  return tensor.strides() == like.strides() ? tensor : torch::empty_like(like).copy_(tensor);
}

std::unique_ptr<State> first_state(const torch::Tensor& parameter) {
  auto state = std::make_unique<State>();
  state->step(0);
  state->exp_avg(torch::zeros_like(parameter));
  state->exp_avg_sq(torch::zeros_like(parameter));
  return state;
}

}  // namespace

torch::Tensor AdamW::step(LossClosure closure) {
  TORCH_CHECK(closure == nullptr, "AdamW: a closure is not supported");
  const torch::NoGradGuard no_gradient;
  for (auto& group : param_groups()) {
    const auto& options = static_cast<const torch::optim::AdamWOptions&>(group.options());
    TORCH_CHECK(!options.amsgrad(), "AdamW: amsgrad is not supported");
    Lists all;
    std::map<std::int64_t, torch::Tensor> counts;
    for (const auto& parameter : group.params()) {
      if (!parameter.grad().defined()) {
        continue;
      }
      auto& kept = state()[parameter.unsafeGetTensorImpl()];
      if (!kept) {
        kept = first_state(parameter);
      }
      auto& own = static_cast<State&>(*kept);
      own.step(own.step() + 1);
      own.exp_avg(laid_out_like(own.exp_avg(), parameter));
      own.exp_avg_sq(laid_out_like(own.exp_avg_sq(), parameter));
      auto& count = counts[own.step()];
      if (!count.defined()) {
        count = torch::full({}, static_cast<double>(own.step()), parameter.options().dtype(torch::kFloat));
      }
      all.parameters.push_back(parameter);
      all.gradients.push_back(laid_out_like(parameter.grad(), parameter));
      all.means.push_back(own.exp_avg());
      all.squares.push_back(own.exp_avg_sq());
      all.steps.push_back(count);
    }
    if (!all.parameters.empty()) {
      const auto [beta1, beta2] = options.betas();
      at::_fused_adamw_(all.parameters, all.gradients, all.means, all.squares, {}, all.steps, options.lr(),
                        beta1, beta2, options.weight_decay(), options.eps(), /*amsgrad=*/false,
                        /*maximize=*/false);
    }
  }
  return {};
}

}  // namespace hyperdefect::nn
