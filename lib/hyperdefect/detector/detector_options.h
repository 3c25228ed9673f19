// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <cstdint>
#include <map>
#include <string>

#include "hyperdefect/nn/choices.h"
#include "hyperdefect/preprocess/preprocess_options.h"

namespace hyperdefect::detector {

/// The options of all detectors, each of a type of its own. A copy is deep; an assignment fills the options
/// where they are, so that a config::Schema that is bound to them stays so.
class OwnOptions {
 public:
  OwnOptions() = default;
  OwnOptions(const OwnOptions&) = default;
  /// Both hold options of the same detectors.
  OwnOptions& operator=(const OwnOptions& other) {
    for (auto& [detector, held] : held_) {
      held.assign(held.value, other.held_.at(detector).value);
    }
    return *this;
  }
  ~OwnOptions() = default;

  /// Adds a detector's options with their defaults.
  template <class Own>
  void add(const std::string& detector) {
    held_.insert({detector, Held{Own{}, [](std::any& to, const std::any& from) {
                                   std::any_cast<Own&>(to) = std::any_cast<const Own&>(from);
                                 }}});
  }
  std::any& at(const std::string& detector) { return held_.at(detector).value; }
  /// The options of this type, or nullptr.
  template <class Own>
  Own* find() {
    for (auto& [detector, held] : held_) {
      if (auto* found = std::any_cast<Own>(&held.value)) {
        return found;
      }
    }
    return nullptr;
  }

 private:
  struct Held {
    std::any value;
    void (*assign)(std::any& to, const std::any& from);
  };
  std::map<std::string, Held> held_;
};

/// Which detector, and the options of all: each detector has a type of options of its own, which only it
/// knows.
///
///     DetectorOptions options;
///     options.name = "rx";
///     options.preprocess.max_wavelength_nm = 950;
///     options.of<RxOptions>().smoothing_px = 0.5;
///     Pipeline pipeline(options, bands);
struct DetectorOptions {
  /// Begins with the defaults of every detector of the registry.
  DetectorOptions();

  /// The detector, by its name in the registry.
  std::string name = "autoencoder";
  /// What the networks of all detectors share: the side, in tokens, of the windows that attention reaches
  /// over, and the arithmetic.
  std::int64_t attention_window = 8;
  nn::Arithmetic precision = nn::Arithmetic::bfloat16;
  preprocess::PreprocessOptions preprocess;
  /// By the detectors' names.
  OwnOptions own;

  /// The options of the detector that has this type of them. @throws Error if none has.
  template <class Own>
  Own& of() {
    if (auto* found = own.find<Own>()) {
      return *found;
    }
    refuse_type();
  }
  template <class Own>
  const Own& of() const {
    return const_cast<DetectorOptions*>(this)->of<Own>();
  }

 private:
  [[noreturn]] static void refuse_type();
};

}  // namespace hyperdefect::detector
