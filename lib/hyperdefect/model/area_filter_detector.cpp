// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/area_filter_detector.h"

#include <algorithm>

#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/area_filter.h"

namespace hyperdefect::model {
namespace {

/// The pixels (rows, cols) of a block whose surroundings, as far as the halo reaches, are in it or outside
/// the image.
torch::Tensor seen_whole(const spectral::Block& block, std::int64_t halo) {
  const auto axis = [halo](std::int64_t begin, std::int64_t length, std::int64_t limit) {
    const auto places = torch::arange(begin, begin + length, torch::kLong);
    const auto first = begin > 0 ? begin + halo : 0;
    const auto end = begin + length < limit ? begin + length - halo : limit;
    return (places >= first).logical_and(places < end);
  };
  const auto rows = axis(block.window.row, block.window.rows, block.image.rows);
  const auto cols = axis(block.window.col, block.window.cols, block.image.cols);
  return rows.unsqueeze(1).logical_and(cols.unsqueeze(0));
}

}  // namespace

AreaFilterDetector::AreaFilterDetector(const DetectorOptions& options, const spectral::Bands& bands)
    : ComponentDetector({"AreaFilterDetector", options.classical.area_components,
                         options.classical.area_power, options.classical.area_smoothing_px},
                        options.preprocess, bands),
      areas_px_(options.classical.area_sizes_px),
      extent_(options.classical.area_extent) {
  const auto areas = static_cast<std::int64_t>(areas_px_.size());
  area_means_ = register_buffer("area_means", torch::ones({areas}));
  sums_ = torch::zeros({areas}, torch::kDouble);
}

torch::Tensor AreaFilterDetector::norms(const torch::Tensor& components, const torch::Tensor& valid) const {
  return spectral::area_top_hats(components, valid, areas_px_, extent_).norm(2, 1);
}

void AreaFilterDetector::calibrate(const spectral::Block& block) {
  const auto prepared = prepare(block);
  const auto used = seen_whole(block, reach_px()).logical_and(block.valid.cpu());
  const auto maps = norms(prepared.values, prepared.valid).to(torch::kCPU, torch::kDouble);
  sums_ += (maps * used).sum({1, 2});
  pixels_ += used.sum().item<std::int64_t>();
}

void AreaFilterDetector::finish_calibration() {
  const torch::NoGradGuard no_gradient;
  const auto means = sums_ / static_cast<double>(std::max<std::int64_t>(1, pixels_));
  // A map that is zero everywhere stays zero.
  area_means_.copy_(torch::where(means > 0, means, 1.0));
  sums_.zero_();
  pixels_ = 0;
}

torch::Tensor AreaFilterDetector::score_of(const torch::Tensor& components,
                                           const torch::Tensor& valid) const {
  return (norms(components, valid) / area_means_.view({-1, 1, 1})).mean(0);
}

std::int64_t AreaFilterDetector::reach_px() const {
  return spectral::area_filter_reach_px(areas_px_, extent_);
}

std::int64_t AreaFilterDetector::score_bytes_per_pixel() const {
  const auto areas = static_cast<std::int64_t>(areas_px_.size());
  const auto results = areas * (2 * components() + 2) * static_cast<std::int64_t>(sizeof(float));
  return results + at::get_num_threads() * spectral::area_filter_bytes_per_pixel(areas_px_);
}

std::string AreaFilterDetector::score_summary() const {
  return text::cat("area_filter: norm of what area filters take out of ",
                   text::counted(components(), "component"), ", for ",
                   text::counted(static_cast<std::int64_t>(areas_px_.size()), "area"));
}

}  // namespace hyperdefect::model
