// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

namespace hyperdefect::nn {

/// Every loss compares prediction and target (N, C, H, W) and gives a scalar: the mean over pixels of the
/// pixel's loss, weighted by `weight` (N, H, W), bool or not negative; undefined weighs all alike. Pixels of
/// weight 0 are never looked at, so they may be NaN; if all are 0, the loss is 0 with gradient 0. The sum
/// runs in float32 at least, under autocast too.

/// Per pixel sqrt(mean over channels of e^2 + eps): grows linearly with a pixel's error, so that few defects
/// in the training data weigh less than they would squared (the penalty of Charbonnier et al., 1994).
///
///     const auto prediction = torch::randn({1, 30, 64, 64}, torch::requires_grad());
///     const auto target = torch::randn({1, 30, 64, 64});
///     const auto hidden = torch::rand({1, 64, 64}) < 0.3;  // only these pixels count
///     root_mean_square_loss(prediction, target, hidden).backward();
torch::Tensor root_mean_square_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                                    const torch::Tensor& weight = {}, double eps = 1e-6);

/// Per pixel the mean over channels of e^2.
torch::Tensor squared_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                           const torch::Tensor& weight = {});

/// Per pixel 1 - cos of the angle between the two spectra, in [0, 2]: the spectral angle in a form that has a
/// gradient at a match. A pixel where either spectrum is zero has no angle and counts as weight 0.
torch::Tensor cosine_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                          const torch::Tensor& weight = {});

/// Per pixel the mean over channels of the binary cross-entropy -t log p - (1 - t) log(1 - p), where p is the
/// sigmoid of the prediction, which may be any number, and the target t is in [0, 1].
torch::Tensor binary_cross_entropy_loss(const torch::Tensor& prediction, const torch::Tensor& target,
                                        const torch::Tensor& weight = {});

}  // namespace hyperdefect::nn
