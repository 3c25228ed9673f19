// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/drift.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hyperdefect/core/text.h"
#include "hyperdefect/metric/student.h"

namespace hyperdefect::model {
namespace {

using Features = std::array<double, kDriftFeatures>;

/// Nothing is measured more evenly than this: deviations of logarithms.
constexpr Features kLeastDeviation{0.005, 0.005, 0.05, 0.05, 0.05, 0.05};
/// A larger change of brightness is no change of the light.
constexpr double kLargestFactor = 3.0;
constexpr double kSmallestShape = 1e-6;
/// Beyond this, units differ rather than lamps.
constexpr double kOtherUnits = 20.0;
constexpr double kReadableFactor = 1e5;

constexpr std::size_t at(DriftFeature feature) {
  return static_cast<std::size_t>(feature);
}

/// From -1 at the first band to 1 at the last.
double place_of(std::size_t band, std::size_t bands) {
  return bands < 2 ? 0.0 : 2 * static_cast<double>(band) / static_cast<double>(bands - 1) - 1;
}

/// The difference of two log spectra, taken apart.
struct Difference {
  double brightness = 0;
  double tilt = 0;
  /// (bands): what is left.
  std::vector<double> rest;
};

Difference difference_of(const std::vector<double>& spectrum, const std::vector<double>& from, double scale) {
  const auto bands = spectrum.size();
  Difference difference;
  difference.rest.resize(bands);
  double squares = 0;
  for (std::size_t band = 0; band < bands; ++band) {
    const double step = scale * (spectrum[band] - from[band]);
    const double place = place_of(band, bands);
    difference.rest[band] = step;
    difference.brightness += step / static_cast<double>(bands);
    difference.tilt += step * place;
    squares += place * place;
  }
  difference.tilt = squares > 0 ? difference.tilt / squares : 0.0;
  for (std::size_t band = 0; band < bands; ++band) {
    difference.rest[band] -= difference.brightness + difference.tilt * place_of(band, bands);
  }
  return difference;
}

double root_mean_square(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0) /
                   static_cast<double>(values.size()));
}

Features features_of(const spectral::Bulk& bulk, const Difference& difference) {
  return {difference.brightness,
          difference.tilt,
          std::log(std::max(root_mean_square(difference.rest), kSmallestShape)),
          bulk.noise,
          bulk.brightness_spread,
          bulk.spectrum_spread};
}

/// Mean and deviation of each feature. @param scale what differences from the spectrum are multiplied by
DriftReference measured(const std::vector<spectral::Bulk>& bulks, const std::vector<double>& spectrum,
                        double scale) {
  DriftReference reference;
  reference.log_spectrum = spectrum;
  reference.count = static_cast<std::int64_t>(bulks.size());
  const auto count = static_cast<double>(bulks.size());
  Features squares{};
  std::vector<Features> all;
  for (const auto& bulk : bulks) {
    all.push_back(features_of(bulk, difference_of(bulk.log_spectrum, spectrum, scale)));
  }
  for (std::size_t i = 0; i < kDriftFeatures; ++i) {
    for (const auto& features : all) {
      reference.mean[i] += features[i] / count;
    }
    for (const auto& features : all) {
      squares[i] += std::pow(features[i] - reference.mean[i], 2);
    }
    reference.deviation[i] = std::max(std::sqrt(squares[i] / (count - 1)), kLeastDeviation[i]);
  }
  return reference;
}

/// Whether a feature says nothing, since scoring removes what it measures.
bool is_removed(std::size_t feature, DriftAdaptation adapt) {
  return (adapt >= DriftAdaptation::gain && feature == at(DriftFeature::brightness)) ||
         (adapt >= DriftAdaptation::gain_tilt && feature == at(DriftFeature::tilt)) ||
         (adapt == DriftAdaptation::mean && feature == at(DriftFeature::shape));
}

/// A more usual shape, or a more even cube, is no reason to distrust its scores.
bool counts_upwards_only(std::size_t feature) {
  return feature == at(DriftFeature::shape) || feature == at(DriftFeature::brightness_spread) ||
         feature == at(DriftFeature::spectrum_spread);
}

bool can_be_adapted(double brightness) {
  return std::abs(brightness) <= std::log(kLargestFactor);
}

double prediction_deviation(const DriftReference& reference, std::size_t feature) {
  return reference.deviation[feature] * std::sqrt(1 + 1 / static_cast<double>(reference.count));
}

/// Of each feature, for itself.
Features p_values_of(const Features& features, const DriftReference& reference, DriftAdaptation adapt) {
  Features p_values{};
  for (std::size_t i = 0; i < kDriftFeatures; ++i) {
    const double t = (features[i] - reference.mean[i]) / prediction_deviation(reference, i);
    const bool counts = !(t < 0 && counts_upwards_only(i)) && !is_removed(i, adapt);
    p_values[i] = counts ? metric::student_tails(t, reference.count - 1) : 1.0;
  }
  return p_values;
}

/// 0.123 is "12 %".
std::string percent(double part) {
  const double value = 100 * part;
  const double step = value < 10 ? 10 : 1;
  return text::concat(text::to_text(std::round(value * step) / step), " %");
}

/// How the logarithm of a ratio reads: "25 %", "a factor of 40".
std::string size_of(double logarithm) {
  const double factor = std::exp(std::abs(logarithm));
  if (factor < 2) {
    return percent(logarithm > 0 ? factor - 1 : 1 - 1 / factor);
  }
  if (factor > kReadableFactor) {
    return text::concat("a factor of ", text::two_digits(factor));
  }
  const double step = factor < 10 ? 10 : 1;
  return text::concat("a factor of ", text::to_text(std::round(factor * step) / step));
}

/// "brighter by 25 %", "less by a factor of 4".
std::string changed(double logarithm, const char* more, const char* less) {
  return text::concat(logarithm > 0 ? more : less, " by ", size_of(logarithm));
}

std::string place_in_words(std::size_t band, const spectral::Bands& bands) {
  return band < bands.wavelengths_nm.size()
             ? text::concat(text::to_text(std::round(bands.wavelengths_nm[band])), " nm")
             : text::concat("band ", band);
}

std::string shape_in_words(const std::vector<double>& rest, const spectral::Bands& bands) {
  const auto most = std::max_element(rest.begin(), rest.end(),
                                     [](double a, double b) { return std::abs(a) < std::abs(b); });
  const auto band = static_cast<std::size_t>(most - rest.begin());
  return text::concat("another shape of the spectrum, most at ", place_in_words(band, bands), " (",
                      changed(*most, "brighter", "darker"), ')');
}

/// What a feature that moved means. @param change against the mean of the training cubes
std::string in_words(std::size_t feature, double change, const Difference& difference,
                     const DriftReference& reference, const spectral::Bands& bands) {
  switch (static_cast<DriftFeature>(feature)) {
    case DriftFeature::brightness:
      return text::concat(changed(change, "brighter", "darker"), " (they vary by ",
                          percent(std::expm1(reference.deviation[feature])), ')',
                          std::abs(change) > std::log(kOtherUnits) ? ", as if in other units" : "");
    case DriftFeature::tilt:
      return text::concat(changed(2 * change, "brighter", "darker"), " at ",
                          place_in_words(difference.rest.size() - 1, bands), " against ",
                          place_in_words(0, bands), " (they vary by ",
                          percent(std::expm1(2 * reference.deviation[feature])), ')');
    case DriftFeature::shape:
      return shape_in_words(difference.rest, bands);
    case DriftFeature::noise:
      return text::concat("neighbouring pixels differ ", changed(change, "more", "less"), " (",
                          change > 0 ? "noise?" : "out of focus?", ')');
    case DriftFeature::brightness_spread:
      return text::concat("brightness varies in the image more by ", size_of(change));
    default:
      return text::concat("spectra vary in the image more by ", size_of(change));
  }
}

}  // namespace

DriftReference drift_reference(const std::vector<spectral::Bulk>& bulks) {
  const auto count = static_cast<double>(bulks.size());
  std::vector<double> mean(bulks.front().log_spectrum.size(), 0.0);
  for (const auto& bulk : bulks) {
    for (std::size_t band = 0; band < mean.size(); ++band) {
      mean[band] += bulk.log_spectrum[band] / count;
    }
  }
  // The difference from the mean of the others, as a further cube has it.
  auto reference = measured(bulks, mean, count / (count - 1));
  for (const auto feature : {DriftFeature::brightness, DriftFeature::tilt}) {
    reference.deviation[at(feature)] =
        std::max(reference.deviation[at(feature)] * (count - 1) / count, kLeastDeviation[at(feature)]);
  }
  return reference;
}

DriftReference drift_reference(const std::vector<spectral::Bulk>& bulks,
                               const std::vector<double>& log_spectrum) {
  return measured(bulks, log_spectrum, 1.0);
}

Drift drift_of(const spectral::Bulk& bulk, const DriftReference& reference, const spectral::Bands& bands,
               const DriftOptions& options) {
  const auto difference = difference_of(bulk.log_spectrum, reference.log_spectrum, 1.0);
  const auto features = features_of(bulk, difference);
  const auto p_values = p_values_of(
      features, reference, can_be_adapted(difference.brightness) ? options.adapt : DriftAdaptation::none);
  Drift drift;
  std::vector<std::string> moved;
  for (std::size_t i = 0; i < kDriftFeatures; ++i) {
    const double p_value = std::min(1.0, kDriftFeatures * p_values[i]);
    drift.p_value = std::min(drift.p_value, p_value);
    if (p_value < options.limit) {
      moved.push_back(in_words(i, features[i] - reference.mean[i], difference, reference, bands));
    }
  }
  drift.what = text::join(moved, ", ");
  return drift;
}

std::vector<double> adapting_factors(const spectral::Bulk& bulk, const DriftReference& reference,
                                     DriftAdaptation adapt) {
  const auto difference = difference_of(bulk.log_spectrum, reference.log_spectrum, 1.0);
  const auto bands = difference.rest.size();
  std::vector<double> factors(bands, 1.0);
  if (adapt == DriftAdaptation::none || !can_be_adapted(difference.brightness)) {
    return factors;
  }
  for (std::size_t band = 0; band < bands; ++band) {
    double change = difference.brightness;
    if (adapt >= DriftAdaptation::gain_tilt) {
      change += difference.tilt * place_of(band, bands);
    }
    if (adapt == DriftAdaptation::mean) {
      change += difference.rest[band];
    }
    factors[band] = std::clamp(std::exp(-change), 1 / kLargestFactor, kLargestFactor);
  }
  return factors;
}

std::string limits_in_words(const DriftReference& reference, double limit) {
  const double t = metric::student_limit(limit / kDriftFeatures, reference.count - 1);
  const auto reach = [&](DriftFeature feature) { return t * prediction_deviation(reference, at(feature)); };
  return text::concat(size_of(reach(DriftFeature::brightness)), " in brightness, ",
                      size_of(2 * reach(DriftFeature::tilt)), " between the ends of the spectrum, or ",
                      size_of(reach(DriftFeature::noise)), " in the difference of neighbouring pixels");
}

}  // namespace hyperdefect::model
