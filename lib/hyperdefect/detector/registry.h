// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hyperdefect/config/schema.h"
#include "hyperdefect/detector/detector.h"
#include "hyperdefect/detector/detector_options.h"
#include "hyperdefect/preprocess/preprocess.h"

namespace hyperdefect::detector {

/// What a detector takes of the spectra.
enum class Input {
  /// The values of the bands, as they are.
  values,
  /// Transformed and binned.
  features,
  /// Principal components, as many and as white as the section preprocess says.
  components
};

/// A detector, and all that the program needs to know to offer it.
struct Row {
  /// What model.detector and its section of the configuration call it.
  const char* name;
  /// What it does, in one line.
  const char* help;
  Input input;
  /// Whether it learns by gradient.
  bool learns;
  /// Adds its options, with their defaults.
  void (*add_options)(OwnOptions& options, const std::string& name);
  /// Declares its options, in a section of its own name.
  void (*declare)(config::Section& section, std::any& own, const DetectorOptions& all);
  /// How many principal components it takes; 0 if none.
  std::int64_t (*components)(const DetectorOptions& options);
  std::shared_ptr<Detector> (*make)(const DetectorOptions& options, const preprocess::Preprocess& preprocess);
};

/// Every detector. A new one is a row here.
///
///     DetectorOptions options;
///     config::Schema schema;
///     declare(schema, options);
///     schema.set("model.detector=local_rx");
///     schema.set("local_rx.outer_px=21");
///     const auto detector = make_detector(options, preprocess);
std::span<const Row> registry();

/// The names of all detectors that an ensemble may have as a member.
std::vector<std::string> member_names();

/// The detector that options.name says.
/// @throws ConfigError for an unknown name, and for options that contradict each other.
std::shared_ptr<Detector> make_detector(const DetectorOptions& options,
                                        const preprocess::Preprocess& preprocess);
/// The most principal components that it takes; 0 if none.
std::int64_t components_taken(const DetectorOptions& options);

/// Declares the sections model and preprocess and one for each detector. The options must outlive the schema.
void declare(config::Schema& schema, DetectorOptions& options);

/// Whether the score comes from a network that learns by gradient, alone or in an ensemble.
bool a_network_learns(const DetectorOptions& options);
/// For options that only matter if a network learns. The options must outlive it.
config::Use if_a_network_learns(const DetectorOptions& options);
/// For options that only matter to an ensemble. The options must outlive it.
config::Use if_ensemble(const DetectorOptions& options);

}  // namespace hyperdefect::detector
