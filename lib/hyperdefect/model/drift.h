// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hyperdefect/model/run_config.h"
#include "hyperdefect/spectral/bulk.h"
#include "hyperdefect/spectral/types.h"

namespace hyperdefect::model {

/// The features by which whole cubes are compared. Of the difference of their log spectra: its mean
/// (brightness), its slope over the bands (tilt; from the middle to the last band), and the logarithm of what
/// is left (shape). The others are those of spectral::Bulk.
inline constexpr std::size_t kDriftFeatures = 6;
enum class DriftFeature : std::uint8_t { brightness, tilt, shape, noise, brightness_spread, spectrum_spread };
inline constexpr std::array<const char*, kDriftFeatures> kDriftFeatureNames{
    "brightness", "tilt", "shape", "noise", "brightness_spread", "spectrum_spread"};

/// The bulk of the training cubes and how much it varies from cube to cube.
struct DriftReference {
  /// (bands): the mean of their log spectra.
  std::vector<double> log_spectrum;
  std::array<double, kDriftFeatures> mean{};
  std::array<double, kDriftFeatures> deviation{};
  /// How many cubes, or parts of few cubes, were compared; at least 3.
  std::int64_t count = 0;
  bool operator==(const DriftReference&) const = default;
};

/// A reference needs so many cubes or parts.
inline constexpr std::size_t kLeastForDrift = 3;

/// @param bulks at least kLeastForDrift of them, of cubes with equal bands
DriftReference drift_reference(const std::vector<spectral::Bulk>& bulks);
/// The same, as seen from the spectrum of a reference that a model has learned from: what it adapts to stays.
DriftReference drift_reference(const std::vector<spectral::Bulk>& bulks,
                               const std::vector<double>& log_spectrum);

/// How far a cube is from the training cubes.
struct Drift {
  /// The probability that a cube like the training cubes is so far from them, in [0, 1]: of the six features
  /// the least probable, times six (Bonferroni). Each is compared with Student's t distribution, as a further
  /// observation of a normal variable of which `count` are known.
  double p_value = 1;
  /// What moved beyond the limit, in words: "darker by 25 % (they vary by 3 %)".
  std::string what;
};

/// @param bands the model's: words name wavelengths
/// @param options what is removed before scoring does not count, as long as it is a factor between 1/3 and 3
Drift drift_of(const spectral::Bulk& bulk, const DriftReference& reference, const spectral::Bands& bands,
               const DriftOptions& options);

/// (bands): what the values of a cube are multiplied by before they are scored. 1 where it would be beyond
/// 1/3 or 3: then the cube is of another kind, and stays as it is.
std::vector<double> adapting_factors(const spectral::Bulk& bulk, const DriftReference& reference,
                                     DriftAdaptation adapt);

/// What would be beyond the limit: "12 % in brightness, ...". @param limit above 0
std::string limits_in_words(const DriftReference& reference, double limit);

}  // namespace hyperdefect::model
