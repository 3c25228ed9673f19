// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/losses.h"

#include <limits>

namespace hyperdefect::nn {
namespace {

/// Prediction and target in a type that can sum, zero where the weight is; the weight (N, H, W) in that type.
struct Comparison {
  torch::Tensor prediction;
  torch::Tensor target;
  torch::Tensor weight;
};

Comparison compare(const torch::Tensor& prediction, const torch::Tensor& target, const torch::Tensor& weight,
                   const char* loss) {
  TORCH_CHECK(prediction.dim() == 4 && prediction.sizes() == target.sizes(), loss,
              ": expected prediction and target (N, C, H, W) of one shape, got ", prediction.sizes(), " and ",
              target.sizes());
  const auto type = prediction.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
  const auto wide = prediction.to(type);
  if (!weight.defined()) {
    return {wide, target.to(type), torch::ones_like(wide.select(1, 0))};
  }
  TORCH_CHECK(weight.dim() == 3 && weight.size(0) == target.size(0) && weight.size(1) == target.size(2) &&
                  weight.size(2) == target.size(3),
              loss, ": expected a weight (N, H, W) for ", target.sizes(), ", got ", weight.sizes());
  const auto unseen = (weight == 0).unsqueeze(1);
  return {wide.masked_fill(unseen, 0.0), target.to(type).masked_fill(unseen, 0.0), weight.to(type)};
}

torch::Tensor weighted_mean(const torch::Tensor& losses, const torch::Tensor& weight) {
  return (losses * weight).sum() / weight.sum().clamp_min(std::numeric_limits<float>::min());
}

torch::Tensor mean_squares(const Comparison& pair) {
  return (pair.prediction - pair.target).square().mean(1);
}

}  // namespace

torch::Tensor root_mean_square_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                                    const torch::Tensor& weight, double eps) {
  TORCH_CHECK(eps > 0, "root_mean_square_loss: eps must be positive, got ", eps);
  const auto pair = compare(prediction, target, weight, "root_mean_square_loss");
  return weighted_mean((mean_squares(pair) + eps).sqrt(), pair.weight);
}

torch::Tensor squared_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                           const torch::Tensor& weight) {
  const auto pair = compare(prediction, target, weight, "squared_loss");
  return weighted_mean(mean_squares(pair), pair.weight);
}

torch::Tensor cosine_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                          const torch::Tensor& weight) {
  const auto pair = compare(prediction, target, weight, "cosine_loss");
  const auto predicted = pair.prediction.square().sum(1);
  const auto wanted = pair.target.square().sum(1);
  const auto angled = (predicted > 0).logical_and(wanted > 0);
  // The root of zero has no gradient: pixels without an angle get a harmless norm and no weight.
  const auto flat = angled.logical_not();
  const auto norms = predicted.masked_fill(flat, 1.0).sqrt() * wanted.masked_fill(flat, 1.0).sqrt();
  const auto cosines = (pair.prediction * pair.target).sum(1) / norms;
  return weighted_mean(1.0 - cosines, pair.weight * angled);
}

torch::Tensor binary_cross_entropy_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                                        const torch::Tensor& weight) {
  const auto pair = compare(prediction, target, weight, "binary_cross_entropy_loss");
  const auto losses =
      torch::binary_cross_entropy_with_logits(pair.prediction, pair.target, {}, {}, at::Reduction::None);
  return weighted_mean(losses.mean(1), pair.weight);
}

}  // namespace hyperdefect::nn
