// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/engine/config_check.h"

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/engine/fitted_model.h"
#include "hyperdefect/model/band_picker.h"
#include "hyperdefect/model/detectors.h"

namespace hyperdefect::engine {
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

void check_wavelengths(const model::PreprocessOptions& options) {
  if (options.max_wavelength_nm > 0 && options.min_wavelength_nm > options.max_wavelength_nm) {
    throw ConfigError(text::cat("preprocess.min_wavelength_nm is ", text::number(options.min_wavelength_nm),
                                ", it must not exceed preprocess.max_wavelength_nm (",
                                text::number(options.max_wavelength_nm), ")"));
  }
}

}  // namespace

/// The detector itself knows what goes together: that of a usual cube is made and thrown away.
void check_config(const RunConfig& config) {
  check_wavelengths(config.preprocess);
  auto asked = config;
  asked.preprocess.drop_bands.clear();  // they are counted in the cube's bands
  try {
    const auto bands = model::bands_in_use(usual_bands(), asked.preprocess);
    model::make_detector(detector_options(asked), bands);
  } catch (const InputError&) {
    // None of these bands is left; a cube may have others.
  }
}

}  // namespace hyperdefect::engine
