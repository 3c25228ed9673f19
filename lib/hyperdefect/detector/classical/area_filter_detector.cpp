// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/area_filter_detector.h"

#include <torch/utils.h>

#include <algorithm>

#include "hyperdefect/core/text.h"
#include "hyperdefect/detector/classical/area_norms.h"
#include "hyperdefect/image/area_filter.h"

namespace hyperdefect::detector {

void declare(config::Section& section, AreaFilterOptions& own, const DetectorOptions&) {
  section.add("components", &own.components, "How many principal components are filtered.")
      .range(1, 1e4)
      .formerly("model.area_components");
  section
      .add("whitening_exponent", &own.whitening_exponent,
           "Partial whitening of the components, as preprocess.whitening_exponent for the networks.")
      .range(0, 1)
      .level(config::Level::expert)
      .formerly("model.area_power");
  section
      .add("sizes_px", &own.sizes_px,
           "A spot counts if it has fewer pixels than this. The maps of several sizes are averaged, each "
           "divided by its mean over the training data.")
      .range(2, 1e4)
      .entries(1, 16)
      .level(config::Level::basic)
      .formerly("model.area_sizes_px");
  section
      .add("max_elongation", &own.max_elongation,
           "A spot does not count if its length is at least this many times the square root of its area, as "
           "for lines and edges. An ellipse twice as long as wide is at 1.6. With 100 only the area counts, "
           "and the windows of a large image overlap by as many pixels as the largest area.")
      .range(1, 100)
      .formerly("model.area_extent");
  declare_smoothing(section, &own.smoothing_px, "model.area_smoothing_px");
}

AreaFilterDetector::AreaFilterDetector(const DetectorOptions& options,
                                       const preprocess::Preprocess& preprocess)
    : ClassicalDetector("AreaFilterDetector", preprocess, options.of<AreaFilterOptions>().smoothing_px),
      options_(options.of<AreaFilterOptions>()),
      spec_(preprocess->limited({options_.components, options_.whitening_exponent})) {
  const auto areas = static_cast<std::int64_t>(options_.sizes_px.size());
  area_means_ = register_buffer("area_means", torch::ones({areas}));
  sums_ = torch::zeros({areas}, torch::kDouble);
}

Measurement AreaFilterDetector::measure(const preprocess::Preprocessed& block) const {
  return {{area_norms(block, spec_, options_.sizes_px, options_.max_elongation)}};
}

Measurement AreaFilterDetector::calibrate(const preprocess::Preprocessed& block) {
  auto measured = measure(block);
  const auto counted = block.counted().cpu();
  sums_ += (measured.maps[0].to(torch::kDouble) * counted).sum({1, 2});
  pixels_ += counted.sum().item<std::int64_t>();
  return measured;
}

void AreaFilterDetector::finish_calibration() {
  const torch::NoGradGuard no_gradient;
  const auto means = sums_ / static_cast<double>(std::max<std::int64_t>(1, pixels_));
  // A map that is zero everywhere stays zero.
  area_means_.copy_(torch::where(means > 0, means, 1.0));
  sums_.zero_();
  pixels_ = 0;
}

torch::Tensor AreaFilterDetector::map_of(const Measurement& measured) const {
  return (measured.maps[0] / area_means_.cpu().view({-1, 1, 1})).mean(0);
}

std::int64_t AreaFilterDetector::reach_px() const {
  return image::area_filter_reach_px(options_.sizes_px, options_.max_elongation);
}

std::int64_t AreaFilterDetector::bytes_per_pixel() const {
  const auto areas = static_cast<std::int64_t>(options_.sizes_px.size());
  const auto floats = 2 * spec_.count + areas * (2 * spec_.count + 2);
  return floats * static_cast<std::int64_t>(sizeof(float)) +
         at::get_num_threads() * image::area_filter_bytes_per_pixel(options_.sizes_px);
}

std::string AreaFilterDetector::headline() const {
  return text::concat("area_filter: norm of what area filters take out of ",
                      text::pluralise(spec_.count, "component"), ", for ",
                      text::pluralise(static_cast<std::int64_t>(options_.sizes_px.size()), "area"));
}

}  // namespace hyperdefect::detector
