// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/component_detector.h"

#include <sstream>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"

namespace hyperdefect::model {
namespace {

/// Spectra that say which ones are farthest from the mean, where the statistics are trimmed.
constexpr std::int64_t kSampledSpectra = 1024;

PreprocessOptions with_traits(PreprocessOptions options, const ComponentDetector::Traits& traits) {
  options.components = traits.components;
  options.power = traits.power;
  return options;
}

}  // namespace

ComponentDetector::ComponentDetector(const Traits& traits, const PreprocessOptions& options,
                                     const spectral::Bands& bands)
    : ClassicalDetector(traits.name, traits.smoothing_px),
      options_(with_traits(options, traits)),
      statistics_(options_, kSampledSpectra) {
  preprocess_ = register_module("preprocess", Preprocess(options_, bands));
}

void ComponentDetector::observe(const spectral::Block& block) {
  statistics_.observe(*preprocess_, block);
}

bool ComponentDetector::finish() {
  const bool again = statistics_.finish(*preprocess_);
  if (!again) {
    statistics_ = SceneStatistics(options_, kSampledSpectra);
  }
  return again;
}

void ComponentDetector::check_window(const spectral::DualWindow& window, const std::string& prefix) {
  if (!window.is_sound()) {
    throw ConfigError(text::cat("model.", prefix, "_inner_px is ", window.inner_px, " and model.", prefix,
                                "_outer_px is ", window.outer_px,
                                ": both must be odd and the inner one smaller; change one of them"));
  }
}

ClassicalDetector::Evidence ComponentDetector::evidence(const spectral::Block& block) const {
  const auto cube = preprocess_->on_device(block);
  const auto spectra = preprocess_->transformed(preprocess_->matched(cube.values));
  return {score_of(preprocess_->whitened(spectra, cube.valid), cube.valid), preprocess_->physical(spectra),
          preprocess_->mean_spectrum()};
}

std::int64_t ComponentDetector::bytes_per_pixel() const {
  const auto floats = 3 * preprocess_->features() + 2 * components();
  return floats * static_cast<std::int64_t>(sizeof(float)) + score_bytes_per_pixel();
}

std::string ComponentDetector::summary() const {
  std::ostringstream page;
  preprocess_->pretty_print(page);
  page << "\n"
       << score_summary()
       << "\nparameters: none trained\nreceptive field: " << text::counted(2 * field().halo + 1, "pixel")
       << "\n";
  return page.str();
}

}  // namespace hyperdefect::model
