// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hyperdefect::nn {

/// What lies beyond the border of an image.
enum class Padding { reflect, replicate, zeros };

/// How features are normalised: each pixel over its channels, each channel over the batch, or not at all.
enum class Norm { layer, batch, none };

/// How an encoder stage reaches the decoder stage of its size.
enum class Skip { concat, add, none };

/// How spectra become features; see SpectralLift.
enum class Lift { spectral, factorised, full, linear };

/// How a coarse feature map becomes a finer one.
enum class Upsampling { transposed_conv, bilinear, nearest };

/// What convolutions and matrix products compute in.
enum class Arithmetic { float32, bfloat16 };

/// The name of a choice, as it is written in a configuration.
template <class Choice>
std::string to_string(Choice choice);

/// The names of all values of a choice.
template <class Choice>
std::vector<std::string> choice_names();

/// Every name of a choice with its value.
template <class Choice>
std::vector<std::pair<std::string, Choice>> named_choices() {
  std::vector<std::pair<std::string, Choice>> named;
  for (const auto& name : choice_names<Choice>()) {
    named.emplace_back(name, static_cast<Choice>(named.size()));
  }
  return named;
}

/// The value that a name stands for: `from_string<Norm>("layer")`.
///
///     const auto skip = from_string<Skip>("concat");
///     const auto name = to_string(skip);        // "concat"
///     const auto names = choice_names<Skip>();  // "concat", "add", "none"
///
/// @throws UsageError with the allowed names if the name is unknown.
template <class Choice>
Choice from_string(std::string_view name);

}  // namespace hyperdefect::nn
