// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/preprocess_options.h"

namespace hyperdefect::model {

void declare(config::Section& section, PreprocessOptions& options, const ModelOptions& model) {
  section.add("use_bad_band_list", &options.use_bad_band_list,
              "Leave out the bands that the cube's own list (bbl) marks as bad.");
  section
      .add("min_wavelength_nm", &options.min_wavelength_nm,
           "Leave out bands below this wavelength; 0 keeps all.")
      .range(0, 1e6);
  section
      .add("max_wavelength_nm", &options.max_wavelength_nm,
           "Leave out bands above this wavelength; 0 keeps all.")
      .range(0, 1e6);
  section
      .add("drop_ranges_nm", &options.drop_ranges_nm,
           "Wavelength ranges to leave out, as a flat list of pairs: [1350, 1420, 1800, 1950].")
      .range(0, 1e6);
  section.add("drop_bands", &options.drop_bands, "Bands to leave out, counted from 0.").range(0, 1e6);
  section
      .add("noise_limit", &options.noise_limit,
           "Leave out bands of which more than this part of the variance is noise, told from the differences "
           "of neighbouring pixels; 1 keeps all. Where most bands are mostly noise, all are kept.")
      .range(0.5, 1);
  section
      .add("wavelength_tolerance_nm", &options.wavelength_tolerance_nm,
           "How far a cube's band may lie from the model's band and still be the same band.")
      .range(0, 1e3);
  section.add(
      "interpolate", &options.interpolate,
      "Interpolate a cube's spectra to the model's wavelengths where they differ, instead of refusing it.");
  // RX takes the values as they are.
  section.used_if(
      with_detector(model, {"autoencoder", "segmenter", "likelihood", "area_filter", "local_rx", "crd"}));
  section
      .add("transform", &options.transform,
           "What is applied to each value first. The logarithm makes gain, fringes and absorption "
           "additive; it is for reflectance. rx takes the values as they are.")
      .choices({"none", "log"});
  section.add("log_floor", &options.log_floor, "Smaller values are raised to this before the logarithm.")
      .range(1e-9, 1e6)
      .used_if({[&options] { return options.transform == "log"; }, "preprocess.transform is log"});
  section
      .add("bins", &options.bins,
           "Average neighbouring bands into this many bins, against noise; 0 keeps the bands. rx keeps them.")
      .range(0, 1e5);
  section
      .add("components", &options.components,
           "autoencoder: how many principal components of the spectra are kept.")
      .range(1, 1e4)
      .used_if(with_detector(model, {"autoencoder", "segmenter"}));
  section
      .add("power", &options.power,
           "autoencoder: partial whitening. 0 gives every component the same variance, 1 leaves the "
           "variances as "
           "they are.")
      .range(0, 1)
      .used_if(with_detector(model, {"autoencoder", "segmenter"}));
  section
      .add("trim_fraction", &options.trim_fraction,
           "This part of the pixels, those farthest from the mean, is left out of the statistics, against "
           "defects in the training data; it takes a second pass over them. rx leaves none out.")
      .range(0, 0.5);
  section.used_if();
}

}  // namespace hyperdefect::model
