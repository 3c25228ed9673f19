// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn/module.h>

#include <optional>

namespace hyperdefect::nn {

/// The slope of every LeakyReLU of this room for negative values.
inline constexpr double kLeakySlope = 0.2;

/// Sets all weights of a module and of its children anew, so that the same seed gives the same network on
/// every device: the numbers are drawn on the CPU, in the order of the modules.
///
/// Convolutions: normal with variance gain^2 / fan-in, gain^2 = 2 / (1 + slope^2) (He et al., "Delving deep
/// into rectifiers", 2015, equation 15); of a transposed convolution fan-in counts the taps that meet in one
/// pixel. Linear layers, which no LeakyReLU follows here: normal with variance 1 / fan-in. Biases 0; norms
/// weight 1, bias 0. Without a generator torch's default one for the CPU is used (torch::manual_seed).
///
///     ResidualBlock block(ResidualBlockOptions(48, 96).stride(2));
///     initialise(*block, at::detail::createCPUGenerator(7));
///     torch::manual_seed(7);
///     initialise(*block);  // draws from torch's own generator
void initialise(torch::nn::Module& module, const std::optional<at::Generator>& generator = std::nullopt);

}  // namespace hyperdefect::nn
