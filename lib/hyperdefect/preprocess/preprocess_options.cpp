// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/preprocess/preprocess_options.h"

namespace hyperdefect::preprocess {
namespace {

void declare_bands(config::Section& section, PreprocessOptions& options) {
  section
      .add("use_bad_band_list", &options.use_bad_band_list,
           "Leave out the bands that the cube's own list (bbl) marks as bad.")
      .level(config::Level::basic);
  section
      .add("min_wavelength_nm", &options.min_wavelength_nm,
           "Leave out bands below this wavelength; 0 keeps all.")
      .range(0, 1e6)
      .level(config::Level::basic);
  section
      .add("max_wavelength_nm", &options.max_wavelength_nm,
           "Leave out bands above this wavelength; 0 keeps all.")
      .range(0, 1e6)
      .level(config::Level::basic);
  section
      .add("drop_ranges_nm", &options.drop_ranges_nm,
           "Wavelength ranges to leave out, as a flat list of pairs: [1350, 1420, 1800, 1950].")
      .range(0, 1e6)
      .level(config::Level::basic);
  section.add("drop_bands", &options.drop_bands, "Bands to leave out, counted from 0.")
      .range(0, 1e6)
      .level(config::Level::basic);
  section
      .add("max_noise_fraction", &options.max_noise_fraction,
           "Leave out bands in which noise is more than this fraction of the variance, measured by the "
           "differences of neighbouring pixels; 1 keeps all. If most bands are mostly noise, all are kept.")
      .range(0.5, 1)
      .formerly("preprocess.noise_limit");
  section
      .add("wavelength_tolerance_nm", &options.wavelength_tolerance_nm,
           "How far a cube's band may be from the model's band and still count as the same band.")
      .range(0, 1e3);
  section.add(
      "interpolate", &options.interpolate,
      "If a cube's wavelengths differ from the model's, interpolate its spectra instead of refusing it.");
}

}  // namespace

void declare(config::Section& section, PreprocessOptions& options, const config::Use& takes_features,
             const config::Use& takes_components) {
  declare_bands(section, options);
  section
      .add("transform",
           config::Choice(&options.transform, config::Choice::Names<Transform>{{"none", Transform::none},
                                                                               {"log", Transform::log}}),
           "What is applied to each value first. log makes gain, fringes and absorption additive; it is for "
           "reflectance. rx takes the values as they are.")
      .used_if(takes_features)
      .level(config::Level::basic);
  section.add("log_floor", &options.log_floor, "Smaller values are raised to this before the logarithm.")
      .range(1e-9, 1e6)
      .used_if(takes_features)
      .used_if({[&options] { return options.transform == Transform::log; }, "preprocess.transform is log"});
  section
      .add("bins", &options.bins,
           "Average neighbouring bands into this many bins, to reduce noise; 0 keeps the bands. rx keeps "
           "them.")
      .range(0, 1e5)
      .used_if(takes_features)
      .level(config::Level::basic);
  section
      .add("components", &options.components,
           "How many principal components of the spectra the networks use.")
      .range(1, 1e4)
      .used_if(takes_components);
  section
      .add("whitening_exponent", &options.whitening_exponent,
           "Partial whitening of the components. 0 gives every component the same variance, 1 leaves the "
           "variances as they are.")
      .range(0, 1)
      .used_if(takes_components)
      .level(config::Level::expert)
      .formerly("preprocess.power");
  section
      .add("trim_fraction", &options.trim_fraction,
           "This fraction of the pixels, those farthest from the mean, is left out of the statistics, so "
           "that defects in the training data do not distort them. It takes a second pass over the data. rx "
           "leaves none out.")
      .range(0, 0.5)
      .used_if(takes_features);
}

}  // namespace hyperdefect::preprocess
