// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/rx_detector.h"

#include <utility>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/rx.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::model {

RxDetector::RxDetector(const DetectorOptions& options, spectral::Bands bands)
    : ClassicalDetector("RxDetector", options.classical.rx_smoothing_px),
      options_(options.preprocess),
      components_(options.classical.rx_components),
      bands_(std::move(bands)) {
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
  const torch::NoGradGuard no_gradient;
  mean_.copy_(moments_->mean());
  precision_.copy_(components_ > 0 ? leading_precision() : full_precision());
  moments_.reset();
  return false;
}

torch::Tensor RxDetector::full_precision() const {
  const auto model = spectral::fit_rx(*moments_);
  if (model.ridge > 0) {
    log::warning(text::cat("the covariance of ", bands_.count, " bands from ", moments_->count(),
                           " pixels is singular: RX adds a ridge of ", text::number(model.ridge),
                           " to its diagonal"));
  }
  return model.precision;
}

/// The inverse of the covariance within the leading components; what lies outside them is not seen.
torch::Tensor RxDetector::leading_precision() const {
  const auto axes =
      spectral::partial_whitening(moments_->mean(), moments_->covariance(), components_, 0.0).to;
  return axes.t().matmul(axes);
}

spectral::Block RxDetector::prepare(const spectral::Block& block) const {
  return matched(block);
}

ClassicalDetector::Evidence RxDetector::evidence(const spectral::Block& block) const {
  const auto values = matched(block).values;
  return {spectral::rx(values, {mean_, precision_, 0.0}).sqrt(), values, mean_.to(values.device())};
}

std::int64_t RxDetector::bytes_per_pixel() const {
  return bands_.count * static_cast<std::int64_t>(sizeof(float) + sizeof(double));
}

std::string RxDetector::summary() const {
  const auto over =
      components_ > 0 ? text::counted(components_, "leading component") : text::counted(bands_.count, "band");
  return text::cat(
      "rx: Mahalanobis distance to the background mean over ", over,
      "\nparameters: none trained; mean and inverse covariance: ", bands_.count * (bands_.count + 1),
      " numbers\nreceptive field: ", 2 * field().halo + 1, field().halo > 0 ? " pixels" : " pixel",
      "\nmultiply-adds a pixel: ", bands_.count * bands_.count, "\n");
}

}  // namespace hyperdefect::model
