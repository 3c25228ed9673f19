// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/classical_options.h"

#include <string>

namespace hyperdefect::model {
namespace {

constexpr const char* kSmoothing = "the score map is smoothed by a Gaussian of this standard deviation.";

std::string for_detector(const char* name, const char* help) {
  return std::string(name) + ": " + help;
}

void declare_rx(config::Section& section, ClassicalOptions& options) {
  section
      .add("rx_components", &options.rx_components,
           "rx: the distance takes this many leading principal components alone; 0 takes all.")
      .range(0, 1e4);
  section.add("rx_smoothing_px", &options.rx_smoothing_px, for_detector("rx", kSmoothing)).range(0, 64);
}

void declare_area_filter(config::Section& section, ClassicalOptions& options) {
  section
      .add("area_components", &options.area_components,
           "area_filter: how many principal components are filtered.")
      .range(1, 1e4);
  section
      .add("area_power", &options.area_power,
           "area_filter: partial whitening of the components, as preprocess.power for the autoencoder.")
      .range(0, 1);
  section
      .add("area_sizes_px", &options.area_sizes_px,
           "area_filter: spots of fewer pixels than this count. The maps of several areas are averaged, each "
           "divided by its mean over the training data.")
      .range(2, 1e4)
      .entries(1, 16);
  section
      .add("area_extent", &options.area_extent,
           "area_filter: spots do not count that are at least this many times the square root of the area "
           "long: "
           "lines and edges. An ellipse twice as long as wide is at 1.6; with 100 only areas count, and a "
           "window of a large image reaches as far as the largest of them beyond what it keeps.")
      .range(1, 100);
  section.add("area_smoothing_px", &options.area_smoothing_px, for_detector("area_filter", kSmoothing))
      .range(0, 64);
}

void declare_local_rx(config::Section& section, ClassicalOptions& options) {
  section
      .add("local_components", &options.local_components,
           "local_rx: how many principal components the distance takes.")
      .range(1, 256);
  section
      .add("local_inner_px", &options.local_inner_px,
           "local_rx: side of the window around a pixel that is left out of its background; odd, and larger "
           "than the defects.")
      .range(1, 255);
  section
      .add("local_outer_px", &options.local_outer_px,
           "local_rx: side of the window that the background is taken from; odd.")
      .range(3, 511);
  section
      .add("local_shrinkage", &options.local_shrinkage,
           "local_rx: part of the background's covariance that is taken from the whole training data, as "
           "windows hold few pixels.")
      .range(1e-6, 1);
  section.add("local_smoothing_px", &options.local_smoothing_px, for_detector("local_rx", kSmoothing))
      .range(0, 64);
}

void declare_crd(config::Section& section, ClassicalOptions& options) {
  section
      .add("crd_components", &options.crd_components,
           "crd: how many principal components are represented by the pixels around.")
      .range(1, 256);
  section
      .add("crd_power", &options.crd_power,
           "crd: partial whitening of the components, as preprocess.power for the autoencoder.")
      .range(0, 1);
  section
      .add("crd_inner_px", &options.crd_inner_px,
           "crd: side of the window around a pixel that may not represent it; odd, and larger than defects.")
      .range(1, 255);
  section
      .add("crd_outer_px", &options.crd_outer_px,
           "crd: side of the window whose pixels represent it; odd. Time grows with its square.")
      .range(3, 511);
  section
      .add("crd_lambda", &options.crd_lambda,
           "crd: weight of the penalty on the coefficients, each multiplied by its pixel's distance.")
      .range(1e-9, 1e3);
  section.add("crd_smoothing_px", &options.crd_smoothing_px, for_detector("crd", kSmoothing)).range(0, 64);
}

}  // namespace

void declare(config::Section& section, ClassicalOptions& options, const ModelOptions& model) {
  section.used_if(with_detector(model, {"rx"}));
  declare_rx(section, options);
  section.used_if(with_detector(model, {"area_filter"}));
  declare_area_filter(section, options);
  section.used_if(with_detector(model, {"local_rx"}));
  declare_local_rx(section, options);
  section.used_if(with_detector(model, {"crd"}));
  declare_crd(section, options);
  section.used_if();
}

}  // namespace hyperdefect::model
