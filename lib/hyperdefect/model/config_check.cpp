// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/config_check.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/pipeline.h"
#include "hyperdefect/preprocess/band_picker.h"

namespace hyperdefect::model {
namespace {

/// A cube as many cameras make them.
constexpr std::int64_t kUsualBands = 200;
constexpr double kShortestNm = 400;
constexpr double kStepNm = 10;

spectral::Bands usual_bands() {
  spectral::Bands bands;
  bands.count = kUsualBands;
  for (std::int64_t band = 0; band < bands.count; ++band) {
    bands.wavelengths_nm.push_back(kShortestNm + static_cast<double>(band) * kStepNm);
  }
  return bands;
}

void check_wavelengths(const preprocess::PreprocessOptions& options) {
  if (options.max_wavelength_nm > 0 && options.min_wavelength_nm > options.max_wavelength_nm) {
    throw ConfigError(text::concat("preprocess.min_wavelength_nm is ",
                                   text::to_text(options.min_wavelength_nm),
                                   "; it must not exceed preprocess.max_wavelength_nm (",
                                   text::to_text(options.max_wavelength_nm), ")"));
  }
}

/// Its levels are probabilities.
void check_threshold(const RunConfig& config) {
  if (config.threshold.method == ThresholdMethod::false_discovery_rate &&
      config.score.calibration != Calibration::false_alarm_probability) {
    throw ConfigError(
        "threshold.method is false_discovery_rate, which needs the false-alarm probability of each pixel: "
        "set "
        "score.calibration to false_alarm_probability");
  }
}

}  // namespace

/// The detector itself knows what goes together: that of a usual cube is made and thrown away.
void check_config(const RunConfig& config) {
  check_wavelengths(config.detector.preprocess);
  check_threshold(config);
  auto asked = config;
  asked.detector.preprocess.drop_bands.clear();  // they are counted in the cube's bands
  try {
    const auto bands = preprocess::bands_in_use(usual_bands(), asked.detector.preprocess);
    detector::Pipeline(asked.detector, bands);
  } catch (const InputError&) {
    // None of these bands is left; a cube may have others.
  }
}

}  // namespace hyperdefect::model
