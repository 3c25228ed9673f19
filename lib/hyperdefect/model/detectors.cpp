// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/detectors.h"

#include <array>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/autoencoder_detector.h"
#include "hyperdefect/model/fused_detector.h"
#include "hyperdefect/model/likelihood_detector.h"
#include "hyperdefect/model/rx_detector.h"
#include "hyperdefect/model/segmenter_detector.h"

namespace hyperdefect::model {
namespace {

struct Entry {
  const char* name;
  std::shared_ptr<Detector> (*make)(const DetectorOptions&, const spectral::Bands&);
};

template <class Made>
std::shared_ptr<Detector> make(const DetectorOptions& options, const spectral::Bands& bands) {
  return std::make_shared<Made>(options, bands);
}

std::shared_ptr<Detector> make_rx(const DetectorOptions& options, const spectral::Bands& bands) {
  return std::make_shared<RxDetector>(options.preprocess, bands);
}

constexpr std::array kDetectors{
    Entry{"autoencoder", make<AutoencoderDetector>}, Entry{"likelihood", make<LikelihoodDetector>},
    Entry{"rx", make_rx}, Entry{"segmenter", make<SegmenterDetector>}, Entry{"fused", make<FusedDetector>}};

}  // namespace

std::shared_ptr<Detector> make_detector(const DetectorOptions& options, const spectral::Bands& bands) {
  for (const auto& entry : kDetectors) {
    if (options.model.detector == entry.name) {
      return entry.make(options, bands);
    }
  }
  throw ConfigError(text::cat("model.detector: '", options.model.detector, "' is unknown"));
}

}  // namespace hyperdefect::model
