// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/nn/choices.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::nn {
namespace {

/// The names of a choice's values, in the order of the enumeration, and what a message calls the choice.
template <class Choice>
struct Names;

template <>
struct Names<Padding> {
  static constexpr const char* kWhat = "padding";
  static constexpr const char* kAll[] = {"reflect", "replicate", "zeros"};
};

template <>
struct Names<Norm> {
  static constexpr const char* kWhat = "norm";
  static constexpr const char* kAll[] = {"layer", "batch", "none"};
};

template <>
struct Names<Skip> {
  static constexpr const char* kWhat = "skip";
  static constexpr const char* kAll[] = {"concat", "add", "none"};
};

template <>
struct Names<Lift> {
  static constexpr const char* kWhat = "lift";
  static constexpr const char* kAll[] = {"spectral", "factorised", "full", "linear"};
};

template <>
struct Names<Upsampling> {
  static constexpr const char* kWhat = "upsampling";
  static constexpr const char* kAll[] = {"transposed_conv", "bilinear", "nearest"};
};

template <>
struct Names<Arithmetic> {
  static constexpr const char* kWhat = "arithmetic";
  static constexpr const char* kAll[] = {"float32", "bfloat16"};
};

std::string suggestion(std::string_view name, const std::vector<std::string>& names) {
  const auto nearest = text::closest_match(name, names);
  return nearest.empty() ? "" : text::concat(" (did you mean '", nearest, "'?)");
}

}  // namespace

template <class Choice>
std::string to_string(Choice choice) {
  return Names<Choice>::kAll[static_cast<std::size_t>(choice)];
}

template <class Choice>
std::vector<std::string> choice_names() {
  return {std::begin(Names<Choice>::kAll), std::end(Names<Choice>::kAll)};
}

template <class Choice>
Choice from_string(std::string_view name) {
  const auto names = choice_names<Choice>();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) {
      return static_cast<Choice>(i);
    }
  }
  throw UsageError(text::concat(Names<Choice>::kWhat, " '", name, "' is unknown: choose one of ",
                                text::join(names, ", "), suggestion(name, names)));
}

#define HYPERDEFECT_INSTANTIATE_CHOICE(Choice)              \
  template std::string to_string<Choice>(Choice);           \
  template std::vector<std::string> choice_names<Choice>(); \
  template Choice from_string<Choice>(std::string_view)

HYPERDEFECT_INSTANTIATE_CHOICE(Padding);
HYPERDEFECT_INSTANTIATE_CHOICE(Norm);
HYPERDEFECT_INSTANTIATE_CHOICE(Skip);
HYPERDEFECT_INSTANTIATE_CHOICE(Lift);
HYPERDEFECT_INSTANTIATE_CHOICE(Upsampling);
HYPERDEFECT_INSTANTIATE_CHOICE(Arithmetic);

#undef HYPERDEFECT_INSTANTIATE_CHOICE

}  // namespace hyperdefect::nn
