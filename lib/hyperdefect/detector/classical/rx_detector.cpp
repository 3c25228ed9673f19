// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/detector/classical/rx_detector.h"

#include <torch/utils.h>

#include "hyperdefect/core/log.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/spectral/rx.h"
#include "hyperdefect/spectral/whitening.h"

namespace hyperdefect::detector {

void declare(config::Section& section, RxOptions& own, const DetectorOptions&) {
  section
      .add("components", &own.components,
           "The distance uses only this many leading principal components; 0 uses all bands.")
      .range(0, 1e4)
      .level(config::Level::basic)
      .formerly("model.rx_components");
  declare_smoothing(section, &own.smoothing_px, "model.rx_smoothing_px");
}

RxDetector::RxDetector(const DetectorOptions& options, const preprocess::Preprocess& preprocess)
    : ClassicalDetector("RxDetector", preprocess, options.of<RxOptions>().smoothing_px),
      components_(options.of<RxOptions>().components) {
  const auto bands = preprocess->bands().count;
  mean_ = register_buffer("mean", torch::zeros({bands}, torch::kDouble));
  precision_ = register_buffer("precision", torch::zeros({bands, bands}, torch::kDouble));
}

void RxDetector::accumulate_features(const preprocess::Preprocessed& block) {
  if (shares_statistics()) {
    return;
  }
  if (!moments_) {
    moments_.emplace(mean_.size(0));
  }
  moments_->add(block.values().flatten(1).t().index({block.counted().flatten()}));
}

bool RxDetector::begin() {
  const torch::NoGradGuard no_gradient;
  if (shares_statistics()) {
    mean_.copy_(preprocess().mean());
    precision_.copy_(preprocess().precision());
    warn_of_ridge(preprocess().ridge(), preprocess().counted());
  } else {
    mean_.copy_(moments_->mean());
    precision_.copy_(components_ > 0 ? leading_precision() : full_precision());
    moments_.reset();
  }
  return false;
}

void RxDetector::warn_of_ridge(double ridge, std::int64_t pixels) const {
  if (ridge > 0) {
    log::warning(text::concat("the covariance of ", mean_.size(0), " bands from ", pixels,
                              " pixels is singular: RX uses the variance ", text::to_text(ridge),
                              " for the directions in which the pixels do not vary"));
  }
}

torch::Tensor RxDetector::full_precision() const {
  const auto model = spectral::fit_rx(*moments_);
  warn_of_ridge(model.ridge, moments_->count());
  return model.precision;
}

/// The inverse of the covariance within the leading components; what lies outside them is not seen.
torch::Tensor RxDetector::leading_precision() const {
  const auto axes =
      spectral::partial_whitening(moments_->mean(), moments_->covariance(), components_, 0.0).forward;
  return axes.t().matmul(axes);
}

Measurement RxDetector::measure(const preprocess::Preprocessed& block) const {
  return {{spectral::rx(block.values(), {mean_, precision_, 0.0}).sqrt()}};
}

std::int64_t RxDetector::bytes_per_pixel() const {
  return mean_.size(0) * static_cast<std::int64_t>(sizeof(float) + sizeof(double));
}

std::string RxDetector::headline() const {
  const auto bands = mean_.size(0);
  const auto over =
      components_ > 0 ? text::pluralise(components_, "leading component") : text::pluralise(bands, "band");
  return text::concat("rx: Mahalanobis distance to the background mean over ", over,
                      "\nmean and inverse covariance: ", bands * (bands + 1),
                      " numbers\nmultiply-adds per pixel: ", bands * bands);
}

}  // namespace hyperdefect::detector
