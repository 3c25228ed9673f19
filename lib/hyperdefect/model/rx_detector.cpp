// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/rx_detector.h"

#include <limits>
#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/angle.h"
#include "hyperdefect/spectral/rx.h"

namespace hyperdefect::model {

RxDetector::RxDetector(const PreprocessOptions& options, spectral::Bands bands)
    : Detector("RxDetector"), options_(options), bands_(std::move(bands)) {
  mean_ = register_buffer("mean", torch::zeros({bands_.count}, torch::kDouble));
  precision_ = register_buffer("precision", torch::zeros({bands_.count, bands_.count}, torch::kDouble));
}

void RxDetector::bind(const spectral::Bands& cube) {
  picker_.emplace(cube, bands_, options_);
}

spectral::Block RxDetector::matched(const spectral::Block& block) const {
  TORCH_CHECK(picker_.has_value(), "RxDetector: bind() to a cube's bands first");
  return {picker_->of(block.values), block.valid, block.window, block.image};
}

void RxDetector::observe(const spectral::Block& block) {
  if (!moments_) {
    moments_.emplace(bands_.count);
  }
  moments_->add(matched(block));
}

bool RxDetector::finish() {
  if (!moments_ || moments_->count() < 2) {
    throw InputError(text::cat("too few valid pixels to learn from: ", moments_ ? moments_->count() : 0,
                               ", at least 2 are needed; check no-data values and the cube's content"));
  }
  const auto model = spectral::fit_rx(*moments_);
  if (model.ridge > 0) {
    log::warning(text::cat("the covariance of ", bands_.count, " bands from ", moments_->count(),
                           " pixels is singular: RX adds a ridge of ", text::number(model.ridge),
                           " to its diagonal"));
  }
  const torch::NoGradGuard no_gradient;
  mean_.copy_(model.mean);
  precision_.copy_(model.precision);
  moments_.reset();
  return false;
}

spectral::Block RxDetector::prepare(const spectral::Block& block) const {
  return matched(block);
}

torch::Tensor RxDetector::loss(const Batch&, at::Generator&) {
  throw Error("RX is not trained by gradient");
}

ScoreMaps RxDetector::score(const spectral::Block& block) {
  const auto cube = matched(block);
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto distance =
      spectral::rx(cube.values, {mean_, precision_, 0.0}).clamp_min(0).sqrt().to(torch::kFloat);
  const auto angle =
      spectral::spectral_angle_map(cube.values, mean_.to(cube.values.device())).to(torch::kFloat);
  return {torch::where(cube.valid, distance, nan), torch::where(cube.valid, angle, nan), cube.valid};
}

std::int64_t RxDetector::bytes_per_pixel() const {
  return bands_.count * static_cast<std::int64_t>(sizeof(float) + sizeof(double));
}

std::string RxDetector::summary() const {
  return text::cat(
      "rx: Mahalanobis distance to the background mean over ", text::counted(bands_.count, "band"), "\n",
      "parameters: none trained; mean and inverse covariance: ", bands_.count * (bands_.count + 1),
      " numbers\nreceptive field: 1 pixel\nmultiply-adds a pixel: ", bands_.count * bands_.count, "\n");
}

}  // namespace hyperdefect::model
