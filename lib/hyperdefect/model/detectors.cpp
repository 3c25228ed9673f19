// SPDX-License-Identifier: Apache-2.0
#include "hyperdefect/model/detectors.h"

#include <array>

#include "hyperdefect/core/error.h"
#include "hyperdefect/core/text.h"
#include "hyperdefect/model/autoencoder_detector.h"
#include "hyperdefect/model/fused_detector.h"
#include "hyperdefect/model/rx_detector.h"
#include "hyperdefect/model/segmenter_detector.h"

namespace hyperdefect::model {
namespace {

struct Entry {
  const char* name;
  std::shared_ptr<Detector> (*make)(const DetectorOptions&, const spectral::Bands&);
};

constexpr std::array kDetectors{
    Entry{"autoencoder",
          [](const DetectorOptions& options, const spectral::Bands& bands) -> std::shared_ptr<Detector> {
            return std::make_shared<AutoencoderDetector>(options, bands);
          }},
    Entry{"rx",
          [](const DetectorOptions& options, const spectral::Bands& bands) -> std::shared_ptr<Detector> {
            return std::make_shared<RxDetector>(options.preprocess, bands);
          }},
    Entry{"segmenter",
          [](const DetectorOptions& options, const spectral::Bands& bands) -> std::shared_ptr<Detector> {
            return std::make_shared<SegmenterDetector>(options, bands);
          }},
    Entry{"fused",
          [](const DetectorOptions& options, const spectral::Bands& bands) -> std::shared_ptr<Detector> {
            return std::make_shared<FusedDetector>(options, bands);
          }}};

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
